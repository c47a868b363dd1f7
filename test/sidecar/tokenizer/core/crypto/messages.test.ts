/**
 * Our messages against the official library's, both ways, and what becomes of one that is not as it was.
 *
 * @module
 */

import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  EncryptedDataKey,
  KeyringNode,
  KeyringTraceFlag,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import { contextBytes } from '../../../../../sidecar/tokenizer/core/crypto/context-bytes.ts';
import {
  openMessage,
  readMessage,
  writeMessage,
} from '../../../../../sidecar/tokenizer/core/crypto/message.ts';
import type { EncryptionContext } from '../../../../../sidecar/tokenizer/core/encryption-context.ts';
import { describeFieldSealer } from '../../../../contracts/field-sealer.contract.ts';
import { sealerUnderTest } from '../../../../support/sealer-under-test.ts';

describeFieldSealer(
  'the branch key sealer over keys in memory',
  () => sealerUnderTest(['shop', 'other']).sealer,
);

const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

/** A keyring with one data key, so that the messages alone are compared. */
class OneKey extends KeyringNode {
  readonly dataKey = randomBytes(32);

  async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const trace = {
      keyNamespace: 'test',
      keyName: 'one',
      flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY,
    };
    material.setUnencryptedDataKey(new Uint8Array(this.dataKey), trace);
    return material.addEncryptedDataKey(
      new EncryptedDataKey({
        providerId: 'test',
        providerInfo: 'one',
        encryptedDataKey: Buffer.from('wrapped'),
      }),
      KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY,
    );
  }

  async _onDecrypt(material: NodeDecryptionMaterial): Promise<NodeDecryptionMaterial> {
    const trace = {
      keyNamespace: 'test',
      keyName: 'one',
      flags: KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY,
    };
    return material.setUnencryptedDataKey(new Uint8Array(this.dataKey), trace);
  }
}

const contexts: readonly (readonly [string, Record<string, string>])[] = [
  ['no entry', {}],
  ['one entry', { tenant: 'shop' }],
  ['two entries out of order', { token: 'tkn_x', class: 'pan' }],
  [
    'two hundred entries',
    Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`name${at}`, `value ${at}`])),
  ],
  ['text beyond ASCII', { name: 'Zoë 日本', ключ: 'value' }],
];

function written(keyring: OneKey, context: Record<string, string>, plaintext: Uint8Array): Buffer {
  return writeMessage(
    {
      messageId: randomBytes(32),
      context: contextBytes(context),
      wrappedDataKey: {
        providerId: Buffer.from('test'),
        providerInfo: Buffer.from('one'),
        bytes: Buffer.from('wrapped'),
      },
    },
    createSecretKey(keyring.dataKey),
    plaintext,
  );
}

describe('a message', () => {
  describe.each(contexts)('with a context of %s', (_, context) => {
    it.each([0, 1, 16, 4095, 4096, 5000])('of %i bytes is opened by the official library', async (bytes) => {
      const keyring = new OneKey();
      const plaintext = randomBytes(bytes);
      const opened = await decrypt(keyring, written(keyring, context, plaintext));
      expect(opened.plaintext.equals(plaintext)).toBe(true);
      expect({ ...opened.messageHeader.encryptionContext }).toEqual(context);
    });

    it.each([0, 1, 16, 4095])('of %i bytes by the official library is opened by ours', async (bytes) => {
      const keyring = new OneKey();
      const plaintext = randomBytes(bytes);
      const { result } = await encrypt(keyring, plaintext, { suiteId: SUITE, encryptionContext: context });
      const message = readMessage(result);
      if (message === 'other') throw new Error('expected a message of our shape');
      expect(Buffer.from(message.context).equals(contextBytes(context))).toBe(true);
      expect(openMessage(message, createSecretKey(keyring.dataKey)).equals(plaintext)).toBe(true);
    });
  });

  it('of several frames is left to the official library', async () => {
    const { result } = await encrypt(new OneKey(), randomBytes(10_000), { suiteId: SUITE });
    expect(readMessage(result)).toBe('other');
  });

  it('of another suite is left to the official library', async () => {
    const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384;
    const { result } = await encrypt(new OneKey(), randomBytes(10), { suiteId });
    expect(readMessage(result)).toBe('other');
  });

  it('has its own message id, data key and ciphertext each time', async () => {
    const { sealer } = sealerUnderTest(['shop']);
    const messages = await Promise.all(Array.from({ length: 200 }, () => sealer.seal(VALUE, HERE)));
    const parts = messages.map(readMessage).filter((message) => message !== 'other');
    for (const part of ['messageId', 'commitment', 'content', 'headerTag', 'frameTag'] as const) {
      expect(new Set(parts.map((message) => Buffer.from(message[part]).toString('hex'))).size).toBe(200);
    }
    expect(
      new Set(parts.map(({ wrappedDataKey }) => Buffer.from(wrappedDataKey.bytes).toString('hex'))).size,
    ).toBe(200);
  });
});

const HERE: EncryptionContext = { tenant: 'shop', token: 'tkn_here', field: 'card', class: 'pan' };
const VALUE = Buffer.from('4111111111111111');
const UNOPENABLE = { code: 'ERR_RECORD_UNOPENABLE', message: 'the record does not open' };

/** What was done to a message: each of these leaves bytes that are not those that were sealed. */
type Change = (message: Buffer, other: Buffer) => Buffer;

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const bits = fc.integer({ min: 1, max: 255 });

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(position, bits).map<Change>(([part, mask]) => (message) => {
    const changed = Buffer.from(message);
    const at = Math.floor(part * message.length);
    changed.writeUInt8(message.readUInt8(at) ^ mask, at);
    return changed;
  }),
  position.map<Change>((part) => (message) => message.subarray(0, Math.floor(part * message.length))),
  fc
    .uint8Array({ minLength: 1, maxLength: 64 })
    .map<Change>((more) => (message) => Buffer.concat([message, more])),
  fc
    .tuple(position, fc.uint8Array({ minLength: 1, maxLength: 64 }))
    .map<Change>(([part, more]) => (message) => {
      const at = Math.floor(part * message.length);
      return Buffer.concat([message.subarray(0, at), more, message.subarray(at)]);
    }),
  fc.tuple(position, position).map<Change>(([one, two]) => (message) => {
    const changed = Buffer.from(message);
    const [from, to] = [one, two].map((part) => Math.floor(part * message.length)) as [number, number];
    changed[from] = message[to] ?? 0;
    changed[to] = message[from] ?? 0;
    return changed;
  }),
  // The beginning of one message with the end of another under the same key and context.
  position.map<Change>((part) => (message, other) => {
    const at = Math.floor(part * message.length);
    return Buffer.concat([message.subarray(0, at), other.subarray(at)]);
  }),
);

describe('a message that is not as it was sealed', () => {
  it('is refused with one same error, whatever was done to it', async () => {
    const { sealer, source } = sealerUnderTest(['shop']);
    const message = Buffer.from(await sealer.seal(VALUE, HERE));
    const other = Buffer.from(await sealer.seal(VALUE, HERE));
    const wasOpened = fc.asyncProperty(changes, async (change) => {
      const changed = change(message, other);
      if (changed.equals(message) || changed.equals(other)) return;
      await expect(sealer.open(changed, HERE)).rejects.toMatchObject(UNOPENABLE);
    });
    await fc.assert(wasOpened, { numRuns: 1_000 });
    expect(source.fetched).toEqual(['shop']);
  });

  it('is refused with every one of its bytes changed, each of its lengths, and every byte left out', async () => {
    const { sealer } = sealerUnderTest(['shop']);
    const message = Buffer.from(await sealer.seal(VALUE, HERE));
    for (const at of message.keys()) {
      const flipped = Buffer.from(message);
      flipped.writeUInt8(message.readUInt8(at) ^ 1, at);
      const without = Buffer.concat([message.subarray(0, at), message.subarray(at + 1)]);
      for (const changed of [flipped, message.subarray(0, at), without]) {
        await expect(sealer.open(changed, HERE)).rejects.toMatchObject(UNOPENABLE);
      }
    }
  });

  it('is refused where the commitment is that of another key, though every tag holds', async () => {
    const one = new OneKey();
    const message = readMessage(written(one, { tenant: 'shop' }, VALUE));
    if (message === 'other') throw new Error('expected a message of ours');
    expect(openMessage(message, createSecretKey(one.dataKey)).equals(VALUE)).toBe(true);
    const commitment = randomBytes(32);
    expect(timingSafeEqual(commitment, message.commitment)).toBe(false);
    expect(() => openMessage({ ...message, commitment }, createSecretKey(one.dataKey))).toThrow(
      expect.objectContaining(UNOPENABLE),
    );
  });

  it('is refused under the data key of another message', async () => {
    const [one, two] = [new OneKey(), new OneKey()];
    const message = readMessage(written(one, {}, VALUE));
    if (message === 'other') throw new Error('expected a message of ours');
    expect(() => openMessage(message, createSecretKey(two.dataKey))).toThrow(
      expect.objectContaining(UNOPENABLE),
    );
  });
});
