import { constants, createCipheriv, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto';
import {
  DATA_KEY_BYTES,
  headOf,
  LENGTH_BYTES,
  NONCE_BYTES,
  writeContent,
  writeMark,
  type MarkContent,
} from '../sidecar/tokenizer/core/marks/mark.ts';

export interface SealingKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** What RSAES-OAEP with SHA-256 takes of the modulus: two digests and two bytes (RFC 8017 section 7.1.1). */
const OAEP_OVERHEAD_BYTES = 66;

/**
 * Seals one value as a mark, which nobody without the private key opens, this function included.
 *
 * Under RSA itself where it is short enough, else under a data key of its own.
 */
export function sealValue({ keyId, publicKey }: SealingKey, value: MarkContent): string {
  const content = writeContent(value);
  const modulusBits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (content.length <= modulusBits / 8 - OAEP_OVERHEAD_BYTES)
    return writeMark({ keyId, kind: 'd', sealed: wrap(publicKey, content) });
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const sealing = createCipheriv('aes-256-gcm', dataKey, nonce);
  sealing.setAAD(Buffer.from(headOf({ keyId, kind: 'h' }), 'utf8'));
  const sealed = Buffer.concat([sealing.update(content), sealing.final()]);
  const wrapped = wrap(publicKey, dataKey);
  dataKey.fill(0);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(wrapped.length);
  return writeMark({
    keyId,
    kind: 'h',
    sealed: Buffer.concat([length, wrapped, nonce, sealed, sealing.getAuthTag()]),
  });
}

function wrap(key: KeyObject, bytes: Uint8Array): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, bytes);
}
