import { createDecipheriv } from 'node:crypto';
import { TokenmeshError } from '../../../../errors/error.ts';
import {
  DATA_KEY_BYTES,
  headOf,
  LENGTH_BYTES,
  NONCE_BYTES,
  parseContent,
  parseMark,
  TAG_BYTES,
  type Mark,
  type MarkContent,
} from './mark.ts';

/** The private keys of marks, which never leave where they are. */
export interface MarkKeys {
  /**
   * @returns Undefined where the key is none of ours, or did not wrap this.
   * @throws {KeyUnavailableError} when no answer came in time.
   */
  readonly unwrap: (keyId: string, wrapped: Uint8Array) => Promise<Uint8Array | undefined>;
}

/** How many marks of one request are opened at a time: KMS counts its asymmetric calls by the hundred a second. */
export const MARK_WIDTH = 16;

/** One error with one text, whatever the reason: who sends marks may not learn from it what is in them. */
export class MarkUnopenableError extends TokenmeshError {
  constructor() {
    super({
      code: 'ERR_MARK_UNOPENABLE',
      message:
        'the mark does not open: expected one that was made for this tenant, under a key that is in use',
      remedy: 'send it whole and unchanged; see that the edge seals under a key that the tokenizer was given',
    });
  }
}

/**
 * Opens one mark.
 *
 * @param keys - None are as good as none that opens it.
 * @param tenant - That it must have been made for.
 * @throws {MarkUnopenableError} for anything but an outage.
 */
export async function openMark(
  keys: MarkKeys | undefined,
  text: string,
  tenant: string,
): Promise<MarkContent> {
  const mark = parseMark(text);
  if (keys === undefined || mark === undefined) throw new MarkUnopenableError();
  const bytes = mark.kind === 'd' ? await keys.unwrap(mark.keyId, mark.sealed) : await openHybrid(keys, mark);
  const content = bytes === undefined ? undefined : parseContent(bytes);
  if (content?.tenant !== tenant) throw new MarkUnopenableError();
  return content;
}

async function openHybrid(keys: MarkKeys, mark: Mark): Promise<Uint8Array | undefined> {
  const { sealed } = mark;
  const keyEnd = LENGTH_BYTES + sealed.readUInt16BE(0);
  const nonceEnd = keyEnd + NONCE_BYTES;
  // KMS takes no empty text for one that does not open, but for a wrong call: it would look like an outage.
  if (keyEnd === LENGTH_BYTES || sealed.length < nonceEnd + TAG_BYTES) return undefined;
  const dataKey = await keys.unwrap(mark.keyId, sealed.subarray(LENGTH_BYTES, keyEnd));
  if (dataKey?.length !== DATA_KEY_BYTES) return undefined;
  const opening = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(keyEnd, nonceEnd));
  opening.setAAD(Buffer.from(headOf(mark), 'utf8'));
  opening.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([opening.update(sealed.subarray(nonceEnd, -TAG_BYTES)), opening.final()]);
  } catch {
    return undefined;
  }
}
