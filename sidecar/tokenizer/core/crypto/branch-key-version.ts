/**
 * Reads from the header of a message under which version of its branch key it was sealed: without a key,
 * and whatever the message's suite and number of frames are.
 *
 * Message format 2 of the Encryption SDK: version (1), suite (2), message id (32), encryption context and
 * wrapped data keys, each with its length before it. A data key that the hierarchical keyring wrapped is
 * `salt(16) || iv(12) || branch key version(16) || encrypted key`.
 *
 * @module
 */

import { PROVIDER_ID, versionInWrapped } from './data-key.ts';
import { MESSAGE_ID_BYTES } from './message.ts';
import { SUITE_ID } from './suite.ts';
import { versionText } from './version-bytes.ts';

const FORMAT_VERSION = 2;
const CONTEXT_START = 1 + SUITE_ID.length + MESSAGE_ID_BYTES;

/**
 * Nothing of it is authenticated: good for counting and for choosing, not for believing.
 *
 * @returns A UUID; undefined for what is no such message. Never throws, whatever the bytes are.
 */
export function branchKeyVersionOf(message: Uint8Array): string | undefined {
  if (message[0] !== FORMAT_VERSION) return undefined;
  const context = partAt(message, CONTEXT_START);
  if (context === undefined) return undefined;
  const keys = uint16At(message, context.end) ?? 0;
  let end = context.end + 2;
  for (let index = 0; index < keys; index += 1) {
    const provider = partAt(message, end);
    const name = provider && partAt(message, provider.end);
    const wrapped = name && partAt(message, name.end);
    if (provider === undefined || wrapped === undefined) return undefined;
    const version = PROVIDER_ID.equals(provider.bytes) ? versionInWrapped(wrapped.bytes) : undefined;
    if (version !== undefined) return versionText(version);
    end = wrapped.end;
  }
  return undefined;
}

interface Part {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** What stands behind a length of two bytes; undefined where it is not all there. */
function partAt(bytes: Uint8Array, start: number): Part | undefined {
  const length = uint16At(bytes, start);
  if (length === undefined) return undefined;
  const end = start + 2 + length;
  return end > bytes.length ? undefined : { bytes: bytes.subarray(start + 2, end), end };
}

function uint16At(bytes: Uint8Array, at: number): number | undefined {
  const [high, low] = [bytes[at], bytes[at + 1]];
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}
