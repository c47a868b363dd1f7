import { afterEach, describe, expect, it } from '@jest/globals';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { BranchKey } from '../../../sidecar/tokenizer/core/crypto/data-key.ts';
import { contextBytes } from '../../../sidecar/tokenizer/core/crypto/context-bytes.ts';
import { sealingHere } from '../../../sidecar/tokenizer/core/crypto/sealing.ts';
import { versionBytes } from '../../../sidecar/tokenizer/core/crypto/version-bytes.ts';
import type { EncryptionContext } from '../../../sidecar/tokenizer/core/encryption-context.ts';
import { SealingThreads, VALUES_FOR_A_THREAD } from '../../../sidecar/tokenizer/sealing-threads.ts';
import { describeFieldSealer } from '../../contracts/field-sealer.contract.ts';
import { sealerUnderTest } from '../../support/sealer-under-test.ts';

const started: SealingThreads[] = [];

/** @param drawn - Told how many random bytes were drawn here, and not in a thread. */
function threads(count: number, drawn: (bytes: number) => void = () => undefined): SealingThreads {
  const work = new SealingThreads({
    threads: count,
    randomBytes: (bytes) => {
      drawn(bytes);
      return randomBytes(bytes);
    },
    onFault: (error) => {
      throw error;
    },
  });
  started.push(work);
  return work;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((work) => work.close()));
});

describeFieldSealer(
  'the branch key sealer with two threads',
  () => sealerUnderTest(['shop', 'other'], {}, threads(2)).sealer,
);

const branchKey = () => ({
  id: 'shop',
  version: versionBytes(randomUUID()),
  key: createSecretKey(randomBytes(32)),
});
const CONTEXT = contextBytes({ tenant: 'shop', token: 'tkn_here', field: 'card', class: 'pan' });

describe('sealing threads', () => {
  const sealEach = async (work: SealingThreads, key: BranchKey, values: readonly string[]) =>
    await Promise.all(values.map(async (value) => await work.seal(key, CONTEXT, Buffer.from(value))));
  const openEach = async (work: SealingThreads, key: BranchKey, messages: readonly Uint8Array[]) => {
    const opened = await Promise.all(messages.map(async (each) => await work.open(key, CONTEXT, each)));
    return opened.map((bytes) => Buffer.from(bytes).toString());
  };
  const named = (count: number) => Array.from({ length: count }, (_, at) => `value ${at}`);

  it('seal what one thread opens, and open what one thread sealed', async () => {
    const key = branchKey();
    const here = sealingHere(randomBytes);
    const work = threads(1);
    const values = named(300);
    for (const [at, message] of (await sealEach(work, key, values)).entries()) {
      expect(Buffer.from(await here.open(key, CONTEXT, message)).toString()).toBe(values[at]);
    }
    const messages = values.map((value) => here.seal(key, CONTEXT, Buffer.from(value)) as Uint8Array);
    expect(await openEach(work, key, messages)).toEqual(values);
  });

  it('are given many values of one turn, and not a few', async () => {
    let drawnHere = 0;
    const work = threads(1, () => (drawnHere += 1));
    const key = branchKey();
    await sealEach(work, key, named(VALUES_FOR_A_THREAD - 1));
    expect(drawnHere).toBe(VALUES_FOR_A_THREAD - 1);
    await sealEach(work, key, named(VALUES_FOR_A_THREAD));
    expect(drawnHere).toBe(VALUES_FOR_A_THREAD - 1);
  });

  it('refuse one message that does not open, and open those beside it', async () => {
    const key = branchKey();
    const work = threads(1);
    const messages = await sealEach(work, key, named(40));
    const changed = Buffer.from(messages[7] ?? []);
    changed.writeUInt8(changed.readUInt8(100) ^ 1, 100);
    const outcomes = await Promise.allSettled(
      messages.map(async (message, at) => await work.open(key, CONTEXT, at === 7 ? changed : message)),
    );
    const refused = outcomes.flatMap((outcome, at) => (outcome.status === 'rejected' ? [at] : []));
    expect(refused).toEqual([7]);
    expect(outcomes[7]).toMatchObject({ reason: { code: 'ERR_RECORD_UNOPENABLE' } });
  });

  it('keep the keys of two tenants apart in one turn', async () => {
    const { sealer } = sealerUnderTest(['shop', 'other'], {}, threads(1));
    const contexts = Array.from({ length: 200 }, (_, at): EncryptionContext => {
      const tenant = at % 2 === 0 ? 'shop' : 'other';
      return { tenant, token: `tkn_${at}`, field: 'card', class: 'pan' };
    });
    const messages = await Promise.all(
      contexts.map((context, at) => sealer.seal(Buffer.from(`${at}`), context)),
    );
    const opened = await Promise.all(messages.map((message, at) => sealer.open(message, contexts[at]!)));
    expect(opened.map((bytes) => Buffer.from(bytes).toString())).toEqual(contexts.map((_, at) => `${at}`));
  });

  it('leave nothing undone where they end', async () => {
    const key = branchKey();
    const work = threads(1);
    const sealed = sealEach(work, key, named(1_000));
    await new Promise((resolve) => process.nextTick(resolve));
    await work.close();
    expect(await openEach(work, key, await sealed)).toEqual(named(1_000));
  });
});
