/**
 * The public vectors of the AWS Encryption SDK: what our codec takes it must open or refuse as the vector
 * says, and whatever it does not take the official library must.
 *
 * @module
 */

import {
  buildClient,
  CommitmentPolicy,
  KeyringNode,
  KeyringTraceFlag,
  type EncryptedDataKey,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import { describe, expect, it } from '@jest/globals';
import { createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contextBytes } from '../../../../../sidecar/tokenizer/core/crypto/context-bytes.ts';
import { openMessage, readMessage } from '../../../../../sidecar/tokenizer/core/crypto/message.ts';

interface Vector {
  readonly set: string;
  readonly id: string;
  readonly ciphertext: string;
  readonly key:
    | { readonly type: 'data-key'; readonly dek: string }
    | { readonly type: 'raw-aes'; readonly material: string };
  readonly required?: readonly string[];
  readonly plaintext: string | null;
  readonly expect: 'ok' | 'fail';
}

const FILE = join(import.meta.dirname, '../../../../../../shared/vectors/encryption-sdk-messages.jsonl');

const vectors: readonly Vector[] = existsSync(FILE)
  ? readFileSync(FILE, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Vector)
  : [];

/** As the raw AES keyring wraps: the IV ends the provider's information, the tag ends the ciphertext. */
function unwrapRaw(material: string, info: Uint8Array, wrapped: Uint8Array, context: Uint8Array): KeyObject {
  const wrappingKey = createSecretKey(Buffer.from(material, 'base64'));
  const cipher = { 16: 'aes-128-gcm', 24: 'aes-192-gcm', 32: 'aes-256-gcm' }[
    wrappingKey.symmetricKeySize ?? 0
  ];
  const decipher = createDecipheriv(cipher ?? '', wrappingKey, info.subarray(-12), {
    authTagLength: 16,
  } as object);
  const gcm = decipher as ReturnType<typeof createDecipheriv> & {
    setAAD(bytes: Uint8Array): void;
    setAuthTag(bytes: Uint8Array): void;
  };
  gcm.setAAD(context);
  gcm.setAuthTag(wrapped.subarray(-16));
  return createSecretKey(Buffer.concat([gcm.update(wrapped.subarray(0, -16)), gcm.final()]));
}

function dataKeyOf({ key }: Vector, info: Uint8Array, wrapped: Uint8Array, context: Uint8Array): KeyObject {
  if (key.type === 'data-key') return createSecretKey(Buffer.from(key.dek, 'base64'));
  return unwrapRaw(key.material, info, wrapped, context);
}

class VectorKeyring extends KeyringNode {
  readonly #vector: Vector;

  constructor(vector: Vector) {
    super();
    this.#vector = vector;
  }

  async _onEncrypt(): Promise<NodeEncryptionMaterial> {
    throw new Error('expected to open only');
  }

  async _onDecrypt(
    material: NodeDecryptionMaterial,
    keys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const [first] = keys;
    const info = first?.rawInfo ?? Buffer.from(first?.providerInfo ?? '');
    const context = contextBytes(material.encryptionContext);
    const key = dataKeyOf(this.#vector, info, first?.encryptedDataKey ?? Buffer.alloc(0), context);
    const flags = KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY;
    return material.setUnencryptedDataKey(new Uint8Array(key.export()), {
      keyNamespace: 'vector',
      keyName: 'vector',
      flags,
    });
  }
}

async function openedBy(vector: Vector): Promise<{ by: 'ours' | 'library'; plaintext: Buffer }> {
  const bytes = Buffer.from(vector.ciphertext, 'base64');
  const message = readMessage(bytes);
  if (message === 'other') {
    const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { plaintext } = await decrypt(new VectorKeyring(vector), bytes);
    return { by: 'library', plaintext };
  }
  const { providerInfo, bytes: wrapped } = message.wrappedDataKey;
  const key = dataKeyOf(vector, providerInfo, wrapped, message.context);
  return { by: 'ours', plaintext: openMessage(message, key) };
}

/** The required encryption context is not part of our format, and the JavaScript library has none either. */
const isTaken = ({ id, required }: Vector): boolean =>
  (required ?? []).length === 0 && !id.includes('RequiredEncryptionContext');

/** Of the 74: suite 0x0478, one data key, one frame. */
const OURS = 8;

const nameOf = ({ set, id }: Vector): string => `${set} ${id}`;

if (vectors.length === 0) {
  describe('the public vectors of the Encryption SDK', () => {
    it.todo('did not run: the file shared/vectors/encryption-sdk-messages.jsonl is not beside this folder');
  });
} else {
  describe('the public vectors of the Encryption SDK', () => {
    it('are all there, and eight of them are of our own shape', async () => {
      const shapes = vectors.map(({ ciphertext }) => readMessage(Buffer.from(ciphertext, 'base64')));
      expect(vectors).toHaveLength(74);
      expect(vectors.filter((vector) => vector.expect === 'fail')).toHaveLength(9);
      expect(shapes.filter((shape) => shape !== 'other').length).toBe(OURS);
    });

    it.each(
      vectors
        .filter((vector) => isTaken(vector) && vector.expect === 'ok')
        .map((each) => [nameOf(each), each] as const),
    )('open: %s', async (_, vector) => {
      const { plaintext } = await openedBy(vector);
      expect(plaintext.toString('base64')).toBe(vector.plaintext);
    });

    it.each(
      vectors.filter((vector) => vector.expect === 'fail').map((each) => [nameOf(each), each] as const),
    )('are refused: %s', async (_, vector) => {
      await expect(openedBy(vector)).rejects.toThrow();
    });

    it.each(vectors.filter((vector) => !isTaken(vector)).map((each) => [nameOf(each), each] as const))(
      'are refused where they leave a part of the context out of the message: %s',
      async (_, vector) => {
        await expect(openedBy(vector)).rejects.toThrow();
      },
    );
  });
}
