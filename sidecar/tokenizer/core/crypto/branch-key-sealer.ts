/**
 * Seals fields under the branch key of the tenant, or of the subject where the context names one: a data
 * key and a message of its own for each field, and no call to anybody while the branch key is at hand.
 *
 * @module
 */

import { isSameContext, type EncryptionContext } from '../encryption-context.ts';
import {
  KeyUnavailableError,
  RecordUnopenableError,
  SubjectShreddedError,
  SubjectUnknownError,
  TenantShreddedError,
} from '../errors.ts';
import type { FieldSealer } from '../ports.ts';
import { branchKeyIdOf } from './branch-key-id.ts';
import { contextBytes } from './context-bytes.ts';
import { PROVIDER_ID, versionInWrapped } from './data-key.ts';
import type { KeyCache } from './key-cache.ts';
import { readMessage, type Message } from './message.ts';
import type { SealingWork } from './sealing.ts';
import { versionText } from './version-bytes.ts';

export interface OpenedElsewhere {
  readonly plaintext: Uint8Array;
  /** What the message says of itself, authenticated. */
  readonly context: Readonly<Record<string, string>>;
}

export interface BranchKeySealerParts {
  readonly keys: KeyCache;
  readonly work: SealingWork;
  /**
   * Opens a message of another shape than ours under the same keys: another suite, several frames or
   * several data keys. Rejects for what is none.
   */
  readonly openOther: (message: Uint8Array) => Promise<OpenedElsewhere>;
}

export function createBranchKeySealer(parts: BranchKeySealerParts): FieldSealer {
  const { keys, work } = parts;
  return {
    async seal(plaintext, context) {
      await requireKept(keys, context);
      const branchKey = await keys.active(branchKeyIdOf(context), plaintext.length);
      if (branchKey === undefined) {
        throw context.subject === undefined ? new KeyUnavailableError() : new SubjectUnknownError();
      }
      return await work.seal(branchKey, contextBytes(context), plaintext);
    },
    async open(bytes, context) {
      await requireKept(keys, context);
      const message = readMessage(bytes);
      if (message === 'other') return await openElsewhere(parts, bytes, context);
      return await openOurs(parts, message, bytes, context);
    },
  };
}

/**
 * The context that is expected is compared byte by byte with what the message carries: a message that was
 * moved to another record opens perfectly well, unless this is asked.
 */
async function openOurs(
  { keys, work }: BranchKeySealerParts,
  message: Message,
  bytes: Uint8Array,
  expected: EncryptionContext,
): Promise<Uint8Array> {
  const context = contextBytes(expected);
  const id = branchKeyIdOf(expected);
  const { providerId, providerInfo, bytes: wrapped } = message.wrappedDataKey;
  const version = versionInWrapped(wrapped);
  const isOfKey = PROVIDER_ID.equals(providerId) && Buffer.from(id).equals(providerInfo);
  if (version === undefined || !isOfKey || !context.equals(message.context))
    throw new RecordUnopenableError();
  const branchKey = await keys.version(id, versionText(version), message.content.length);
  if (branchKey === undefined) throw new RecordUnopenableError();
  return await work.open(branchKey, context, bytes);
}

/** What the suites that sign add to the context by themselves: the public key, which the library has checked. */
const SIGNATURE_ENTRY = 'aws-crypto-public-key';

async function openElsewhere(
  { openOther }: BranchKeySealerParts,
  bytes: Uint8Array,
  expected: EncryptionContext,
): Promise<Uint8Array> {
  let opened: OpenedElsewhere;
  try {
    opened = await openOther(bytes);
  } catch (error) {
    throw error instanceof KeyUnavailableError ? error : new RecordUnopenableError(error);
  }
  const { [SIGNATURE_ENTRY]: _, ...context } = opened.context;
  if (!isSameContext(expected, context)) throw new RecordUnopenableError();
  return opened.plaintext;
}

/** @throws {TenantShreddedError} and {SubjectShreddedError} whatever else is wrong. */
async function requireKept(keys: KeyCache, context: EncryptionContext): Promise<void> {
  if (await keys.isDestroyed(context.tenant)) throw new TenantShreddedError();
  if (context.subject === undefined) return;
  if (await keys.isDestroyed(branchKeyIdOf(context))) throw new SubjectShreddedError();
}
