/**
 * Marks: values that were encrypted before any service of ours saw them, as they stand in a text.
 *
 * A mark is `enc1.<key id>.<kind>.<base64url>.`: the id of a KMS key, how it was sealed, and what was. Its end
 * is sure, so it is found in any text. What is sealed is the JSON array `[class, tenant, value]` in UTF-8, so
 * that neither class nor tenant can be changed without the key. Format: docs/edge.md.
 *
 * @module
 */

/**
 * `d`: the whole content under RSAES_OAEP_SHA_256. `h`: `length(2) || wrapped data key || nonce(12) ||
 * ciphertext || tag(16)`, the data key under RSAES_OAEP_SHA_256, the content under it by AES-256-GCM.
 */
export type MarkKind = 'd' | 'h';

export interface Mark {
  /** Of the KMS key, as its ARN ends. */
  readonly keyId: string;
  readonly kind: MarkKind;
  readonly sealed: Buffer;
}

export interface PlacedMark {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface MarkContent {
  readonly class: string;
  readonly tenant: string;
  readonly value: string;
}

/** Of AES-256-GCM (NIST SP 800-38D); a data key seals one value. */
export const DATA_KEY_BYTES = 32;
/** Of what says how long the wrapped data key is. */
export const LENGTH_BYTES = 2;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** The least that RSA-2048 makes is 342 letters. */
const MARK = /enc1\.((?:mrk-)?[0-9a-f-]{32,36})\.([dh])\.([A-Za-z0-9_-]{342,})\./g;

export function marksIn(text: string): PlacedMark[] {
  return [...text.matchAll(MARK)].map(({ 0: mark, index: start }) => ({
    text: mark,
    start,
    end: start + mark.length,
  }));
}

/** @returns Undefined where the text is not a mark as a whole. */
export function parseMark(text: string): Mark | undefined {
  const [found] = text.matchAll(MARK);
  const [whole, keyId = '', kind, sealed = ''] = found ?? [];
  if (whole !== text || (kind !== 'd' && kind !== 'h')) return undefined;
  return { keyId, kind, sealed: Buffer.from(sealed, 'base64url') };
}

export function writeMark({ keyId, kind, sealed }: Mark): string {
  return `${headOf({ keyId, kind })}${sealed.toString('base64url')}.`;
}

/** What AES-GCM authenticates beside the content. */
export function headOf({ keyId, kind }: Pick<Mark, 'keyId' | 'kind'>): string {
  return `enc1.${keyId}.${kind}.`;
}

export function writeContent({ class: name, tenant, value }: MarkContent): Buffer {
  return Buffer.from(JSON.stringify([name, tenant, value]), 'utf8');
}

/** @returns Undefined for whatever anybody else sealed with the public key. */
export function parseContent(bytes: Uint8Array): MarkContent | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!Array.isArray(parsed) || parsed.length !== 3) return undefined;
    const [name, tenant, value] = parsed as unknown[];
    if (typeof name !== 'string' || typeof tenant !== 'string' || typeof value !== 'string') return undefined;
    return { class: name, tenant, value };
  } catch {
    return undefined;
  }
}
