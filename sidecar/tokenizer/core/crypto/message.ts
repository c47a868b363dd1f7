/**
 * Writes and reads AWS Encryption SDK messages: format 2, suite 0x0478, one data key, one frame.
 *
 * A message is `header || commitment || header tag || frame`. The header carries the message id, the
 * encryption context and the wrapped data key; the frame carries the value. Format: docs/record-format.md
 * and the Encryption SDK's message format reference; pinned by test/vectors/ and by the official libraries.
 *
 * No IO, and no keys but those passed in. Synchronous: sealing a card number takes microseconds, where a
 * stream through the official library takes half a millisecond.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, timingSafeEqual, type KeyObject } from 'node:crypto';
import { RecordUnopenableError } from '../errors.ts';
import { deriveMessageKeys } from './key-derivation.ts';
import { CIPHER, IV_BYTES, SUITE_ID, TAG_BYTES } from './suite.ts';

export interface WrappedDataKey {
  readonly providerId: Uint8Array;
  /** Which of the provider's keys: the branch key's name. */
  readonly providerInfo: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface MessageParts {
  /** 32 bytes, new for each message. */
  readonly messageId: Uint8Array;
  /** As {@link contextBytes} writes it. */
  readonly context: Uint8Array;
  readonly wrappedDataKey: WrappedDataKey;
}

export interface Message extends MessageParts {
  /** Everything that the header's tag covers, the commitment included. */
  readonly header: Uint8Array;
  readonly headerTag: Uint8Array;
  readonly commitment: Uint8Array;
  readonly frameIv: Uint8Array;
  readonly content: Uint8Array;
  readonly frameTag: Uint8Array;
}

const FORMAT_VERSION = 2;
export const MESSAGE_ID_BYTES = 32;
const COMMITMENT_BYTES = 32;
/** The only content type that format 2 still writes: frames. */
const FRAMED = 2;
/** What the official library writes; a value that is longer makes its only frame longer. */
const FRAME_BYTES = 4096;
const FINAL_FRAME = 0xffff_ffff;
const FIRST_SEQUENCE = 1;
/** Format 2 authenticates the header under an IV of zeros, which no frame has: they count from 1. */
const HEADER_IV = Buffer.alloc(IV_BYTES);
const FRAME_IV = Buffer.concat([Buffer.alloc(IV_BYTES - 4), Buffer.of(0, 0, 0, FIRST_SEQUENCE)]);
const FRAME_LABEL = Buffer.from('AWSKMSEncryptionClient Final Frame');

/** @param dataKey - 32 bytes, that no other message has. */
export function writeMessage(parts: MessageParts, dataKey: KeyObject, plaintext: Uint8Array): Buffer {
  const { encryptionKey, commitment } = deriveMessageKeys(dataKey, parts.messageId);
  const headerBytes = headerLength(parts);
  const bytes = Buffer.allocUnsafe(
    headerBytes + TAG_BYTES + 4 + 4 + IV_BYTES + 4 + plaintext.length + TAG_BYTES,
  );
  let end = writeHeader(bytes, parts, plaintext.length, commitment);
  const header = bytes.subarray(0, headerBytes);
  const authenticated = createCipheriv(CIPHER, encryptionKey, HEADER_IV).setAAD(header);
  authenticated.final();
  end = put(bytes, authenticated.getAuthTag(), end);
  end = bytes.writeUInt32BE(FINAL_FRAME, end);
  end = bytes.writeUInt32BE(FIRST_SEQUENCE, end);
  end = put(bytes, FRAME_IV, end);
  end = bytes.writeUInt32BE(plaintext.length, end);
  const cipher = createCipheriv(CIPHER, encryptionKey, FRAME_IV).setAAD(
    frameBoundTo(parts.messageId, plaintext.length),
  );
  end = put(bytes, cipher.update(plaintext), end);
  cipher.final();
  put(bytes, cipher.getAuthTag(), end);
  return bytes;
}

/**
 * Takes a message apart, without a key.
 *
 * @returns `'other'` for what is not of exactly this shape: no message at all, or one that only the
 *   official library reads.
 */
export function readMessage(bytes: Uint8Array): Message | 'other' {
  const reader = new Reader(bytes);
  if (reader.uint8() !== FORMAT_VERSION || !SUITE_ID.equals(reader.take(SUITE_ID.length))) return 'other';
  const messageId = reader.take(MESSAGE_ID_BYTES);
  const context = reader.take(reader.uint16());
  if (reader.uint16() !== 1) return 'other';
  const wrappedDataKey = {
    providerId: reader.take(reader.uint16()),
    providerInfo: reader.take(reader.uint16()),
    bytes: reader.take(reader.uint16()),
  };
  const isFramed = reader.uint8() === FRAMED;
  const frameBytes = reader.uint32();
  const commitment = reader.take(COMMITMENT_BYTES);
  const header = bytes.subarray(0, reader.position);
  const headerTag = reader.take(TAG_BYTES);
  const isOnlyFrame = reader.uint32() === FINAL_FRAME && reader.uint32() === FIRST_SEQUENCE;
  const frameIv = reader.take(IV_BYTES);
  const contentBytes = reader.uint32();
  const content = reader.take(contentBytes);
  const frameTag = reader.take(TAG_BYTES);
  if (!isFramed || !isOnlyFrame || contentBytes > frameBytes || !reader.isAtEnd) return 'other';
  const parts = { messageId, context, wrappedDataKey };
  return { ...parts, header, headerTag, commitment, frameIv, content, frameTag };
}

/**
 * @returns The value.
 * @throws {RecordUnopenableError} Whatever it is that does not hold.
 */
export function openMessage(message: Message, dataKey: KeyObject): Buffer {
  const { encryptionKey, commitment } = deriveMessageKeys(dataKey, message.messageId);
  if (!timingSafeEqual(commitment, message.commitment)) throw new RecordUnopenableError();
  decrypt(encryptionKey, HEADER_IV, message.header, Buffer.alloc(0), message.headerTag);
  const boundTo = frameBoundTo(message.messageId, message.content.length);
  return decrypt(encryptionKey, message.frameIv, boundTo, message.content, message.frameTag);
}

function decrypt(
  key: KeyObject,
  iv: Uint8Array,
  boundTo: Uint8Array,
  content: Uint8Array,
  tag: Uint8Array,
): Buffer {
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
    .setAAD(boundTo)
    .setAuthTag(tag);
  const plaintext = decipher.update(content);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new RecordUnopenableError();
  }
  return plaintext;
}

function headerLength({ context, wrappedDataKey }: MessageParts): number {
  const { providerId, providerInfo, bytes } = wrappedDataKey;
  const wrapped = 2 + providerId.length + 2 + providerInfo.length + 2 + bytes.length;
  const before = 1 + SUITE_ID.length + MESSAGE_ID_BYTES + 2 + context.length + 2;
  return before + wrapped + 1 + 4 + COMMITMENT_BYTES;
}

function writeHeader(
  into: Buffer,
  { messageId, context, wrappedDataKey }: MessageParts,
  contentBytes: number,
  commitment: Uint8Array,
): number {
  let end = into.writeUInt8(FORMAT_VERSION, 0);
  end = put(into, SUITE_ID, end);
  end = put(into, messageId, end);
  end = putWithLength(into, context, end);
  end = into.writeUInt16BE(1, end);
  end = putWithLength(into, wrappedDataKey.providerId, end);
  end = putWithLength(into, wrappedDataKey.providerInfo, end);
  end = putWithLength(into, wrappedDataKey.bytes, end);
  end = into.writeUInt8(FRAMED, end);
  end = into.writeUInt32BE(Math.max(FRAME_BYTES, contentBytes), end);
  return put(into, commitment, end);
}

/** What the frame's tag covers besides the content: Encryption SDK specification, "message body AAD". */
function frameBoundTo(messageId: Uint8Array, contentBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(MESSAGE_ID_BYTES + FRAME_LABEL.length + 4 + 8);
  let end = put(bytes, messageId, 0);
  end = put(bytes, FRAME_LABEL, end);
  end = bytes.writeUInt32BE(FIRST_SEQUENCE, end);
  end = bytes.writeUInt32BE(0, end);
  bytes.writeUInt32BE(contentBytes, end);
  return bytes;
}

function put(into: Buffer, bytes: Uint8Array, at: number): number {
  into.set(bytes, at);
  return at + bytes.length;
}

function putWithLength(into: Buffer, bytes: Uint8Array, at: number): number {
  return put(into, bytes, into.writeUInt16BE(bytes.length, at));
}

/** Reads on, and past the end too: whoever reads asks {@link Reader.isAtEnd} before believing any of it. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether exactly all bytes were read. */
  get isAtEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  uint8(): number {
    const value = this.#has(1) ? this.#view.getUint8(this.position) : 0;
    this.position += 1;
    return value;
  }

  uint16(): number {
    const value = this.#has(2) ? this.#view.getUint16(this.position) : 0;
    this.position += 2;
    return value;
  }

  uint32(): number {
    const value = this.#has(4) ? this.#view.getUint32(this.position) : 0;
    this.position += 4;
    return value;
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  #has(length: number): boolean {
    return this.position + length <= this.#bytes.length;
  }
}
