/**
 * Marks under real RSA keys of KMS, two at once, as while they rotate: the adapter, and the tokenizer's process.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateKeyCommand, GetPublicKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { createKmsMarkKeys } from '../../../../sidecar/tokenizer/adapters/kms-mark-keys.ts';
import { markKeysContract, type PublicKey } from '../../../contracts/mark-keys.contract.ts';
import { CHECKOUT, edgeConfigOf, edgeEvent, throughEdge } from '../../../support/edge-request.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';
import { startTokenizerProcess } from '../../../support/tokenizer-process.ts';

const PAN = '4111111111111111';

let vault: EmulatedVault;
let known: [RsaKey, RsaKey];
let other: RsaKey;

interface RsaKey extends PublicKey {
  readonly arn: string;
}

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
  known = [await createKey(), await createKey()];
  other = await createKey();
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

async function createKey(): Promise<RsaKey> {
  const { KeyMetadata } = await vault.kms.send(
    new CreateKeyCommand({ KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT' }),
  );
  const { PublicKey } = await vault.kms.send(new GetPublicKeyCommand({ KeyId: KeyMetadata?.Arn }));
  return {
    arn: KeyMetadata?.Arn ?? '',
    keyId: KeyMetadata?.KeyId ?? '',
    publicKey: createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' }),
  };
}

describe('keys of marks in KMS', () => {
  markKeysContract(() => ({
    keys: createKmsMarkKeys({ kms: vault.kms, markKeyArns: known.map(({ arn }) => arn) }),
    known,
    other,
    // A key that waits for its deletion answers nothing any more, and that is no fault of the mark.
    async down(run) {
      await vault.kms.send(new ScheduleKeyDeletionCommand({ KeyId: known[0].arn, PendingWindowInDays: 7 }));
      return await run();
    },
  }));
});

describe('the tokenizer with two keys', () => {
  it('takes what the edge encrypted under either, and nothing under a third', async () => {
    const [first, second, third] = [await createKey(), await createKey(), await createKey()];
    const tokenizer = await startTokenizerProcess(vault, {
      TOKENMESH_MARK_KEY_ARNS: `${first.arn},${second.arn}`,
    });
    try {
      const statuses: number[] = [];
      for (const key of [first, second, third]) {
        const order = JSON.stringify({ card: { number: PAN } });
        const outcome = throughEdge(edgeConfigOf(key, CHECKOUT), edgeEvent(order));
        const { card } = JSON.parse('body' in outcome ? outcome.body : '') as { card: { number: string } };
        const made = await tokenizer.send('order', 'POST', '/v1/tokens', {
          fields: { card: { class: 'pan', value: card.number } },
        });
        statuses.push(made.status);
        if (made.status !== 201) continue;
        const { token } = made.body as { token: string };
        const read = await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token });
        expect(read.body).toMatchObject({ fields: { card: { value: PAN, form: 'plain' } } });
      }
      expect(statuses).toEqual([201, 201, 400]);
    } finally {
      expect(await tokenizer.stop()).toBe(0);
    }
  }, 60_000);
});
