/**
 * What the official library seals under the branch keys of the emulated key store, our sealer opens: in
 * our own shape by itself, in another by the library.
 *
 * @module
 */

import {
  AlgorithmSuiteIdentifier,
  BranchKeyStoreNode,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
  MultiKeyringNode,
  type KeyringNode,
} from '@aws-crypto/client-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createBranchKeyStore,
  keyStoreInput,
} from '../../../../sidecar/tokenizer/adapters/branch-key-store.ts';
import type { EncryptionContext } from '../../../../sidecar/tokenizer/core/encryption-context.ts';
import { readMessage } from '../../../../sidecar/tokenizer/core/crypto/message.ts';
import { describeBranchKeySource } from '../../../contracts/branch-key-source.contract.ts';
import { newToken } from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';
import { sealerOf } from '../../../support/sealer-of.ts';

let vault: EmulatedVault;
let firstVersion: string;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop', 'other']);
  const { active = '' } = await createBranchKeyStore(vault).describe('shop', PATIENCE_MS);
  firstVersion = active;
  await officialKeyStore().versionKey({ branchKeyIdentifier: 'shop' });
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

const PATIENCE_MS = 5_000;
const UNOPENABLE = { code: 'ERR_RECORD_UNOPENABLE', message: 'the record does not open' };
const UNSIGNED = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
const SIGNED = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384;

describeBranchKeySource('the key store', async () => ({
  source: createBranchKeyStore(vault),
  older: firstVersion,
}));

function officialKeyStore(): BranchKeyStoreNode {
  return new BranchKeyStoreNode(keyStoreInput(vault));
}

function keyringOf(branchKeyId: string): KeyringNode {
  return new KmsHierarchicalKeyRingNode({ keyStore: officialKeyStore(), branchKeyId, cacheLimitTtl: 60 });
}

interface Shape {
  readonly bytes: number;
  readonly frameLength: number;
  readonly suiteId: AlgorithmSuiteIdentifier;
  readonly keyrings: readonly string[];
}

const SHAPES: readonly (readonly [string, 'ours' | 'other', Shape])[] = [
  ['one frame', 'ours', { bytes: 16, frameLength: 4096, suiteId: UNSIGNED, keyrings: ['shop'] }],
  ['one empty frame', 'ours', { bytes: 0, frameLength: 4096, suiteId: UNSIGNED, keyrings: ['shop'] }],
  ['several frames', 'other', { bytes: 5_000, frameLength: 1_000, suiteId: UNSIGNED, keyrings: ['shop'] }],
  ['a signature', 'other', { bytes: 16, frameLength: 4096, suiteId: SIGNED, keyrings: ['shop'] }],
  [
    'two data keys',
    'other',
    { bytes: 16, frameLength: 4096, suiteId: UNSIGNED, keyrings: ['other', 'shop'] },
  ],
];

async function sealed(
  { bytes, frameLength, suiteId, keyrings }: Shape,
  encryptionContext: EncryptionContext,
) {
  const [generator, ...children] = keyrings.map(keyringOf);
  const keyring = new MultiKeyringNode({ generator: generator!, children });
  const { encrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const { result } = await encrypt(keyring, Buffer.alloc(bytes, 7), {
    suiteId,
    encryptionContext,
    frameLength,
  });
  return result;
}

describe.each(SHAPES)('a message of the official library with %s', (_, reader, shape) => {
  const context = (): EncryptionContext => ({
    tenant: 'shop',
    token: newToken(),
    field: 'card',
    class: 'pan',
  });

  it('opens under its own context, and under no other', async () => {
    const here = context();
    const message = await sealed(shape, here);
    expect(readMessage(message) === 'other' ? 'other' : 'ours').toBe(reader);
    const sealer = sealerOf(vault);
    expect(Buffer.from(await sealer.open(message, here)).equals(Buffer.alloc(shape.bytes, 7))).toBe(true);
    for (const there of [context(), { ...here, revision: '1' }, { ...here, tenant: 'other' }]) {
      await expect(sealer.open(message, there)).rejects.toMatchObject(UNOPENABLE);
    }
  });

  it('is refused where a byte was changed, left out or added', async () => {
    const here = context();
    const message = await sealed(shape, here);
    const sealer = sealerOf(vault);
    const places = Array.from({ length: 12 }, (__, part) => Math.floor((part * (message.length - 1)) / 11));
    for (const at of places) {
      const flipped = Buffer.from(message);
      flipped.writeUInt8(message.readUInt8(at) ^ 1, at);
      await expect(sealer.open(flipped, here)).rejects.toMatchObject(UNOPENABLE);
    }
    for (const changed of [message.subarray(0, -1), Buffer.concat([message, Buffer.of(0)])]) {
      await expect(sealer.open(changed, here)).rejects.toMatchObject(UNOPENABLE);
    }
  });
});
