/**
 * The rotation of a key on a running mesh, as an operator does it: rotate, rewrap while others read and
 * write, count, destroy the old version, and see that nothing of it opens any more.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BranchKeyStoreNode,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
} from '@aws-crypto/client-node';
import { GetItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, jest } from '@jest/globals';
import type { KeyCensus } from '../../operator/key-census.ts';
import { keyStoreOf } from '../../operator/keys.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { keyStoreInput } from '../../sidecar/tokenizer/adapters/branch-key-store.ts';
import { fromItem, itemKey } from '../../sidecar/tokenizer/adapters/record-item.ts';
import { branchKeyVersionOf } from '../../sidecar/tokenizer/core/crypto/branch-key-version.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh, type Output } from '../support/running-mesh.ts';

// A busy machine takes longer than jest's five seconds, and some of it is waiting.
jest.setTimeout(300_000);

const PAN = testCard('visa', 16).number;
const CODE = '839';
const SUBJECT = 'customer-0042';
const RECORDS = 60;

const suite = meshOfSuite();

const keys = (...argumentsGiven: string[]): Promise<Output> => mesh(suite.run, ['keys', ...argumentsGiven]);

const card = (more: object = {}): object => ({ fields: { card: { class: 'pan', value: PAN } }, ...more });

async function newToken(body: object): Promise<string> {
  const { status, document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', body);
  expect([status, document['code']]).toEqual([201, undefined]);
  return String(document['token']);
}

const reveal = (token: string, fields?: readonly string[]): Promise<MeshAnswer> =>
  callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
    token,
    purpose: 'payment',
    ...(fields === undefined ? {} : { fields }),
  });

async function census(): Promise<KeyCensus> {
  const { code, stdout, stderr } = await keys('census', 'shop', '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as KeyCensus;
}

/** The row of a token, as whoever has the table may keep it. */
async function rowOf(token: string): Promise<Record<string, AttributeValue>> {
  const { dynamodb } = keyStoreOf(suite.state);
  const Key = itemKey({ tenant: 'shop', token });
  const command = new GetItemCommand({ TableName: suite.state.tables.tokens, Key, ConsistentRead: true });
  return (await dynamodb.send(command)).Item ?? {};
}

function messageIn(token: string, row: Record<string, AttributeValue>): Uint8Array {
  const field = fromItem({ tenant: 'shop', token }, row).fields.get('card');
  if (field === undefined) throw new Error('expected a field');
  return field.message;
}

/** The official library alone, which holds no key yet. */
async function openOfficially(message: Uint8Array): Promise<string> {
  const keyStore = new BranchKeyStoreNode(keyStoreInput(keyStoreOf(suite.state)));
  const keyring = new KmsHierarchicalKeyRingNode({ branchKeyId: 'shop', keyStore, cacheLimitTtl: 60 });
  const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  return Buffer.from((await decrypt(keyring, message)).plaintext).toString();
}

/** Reads, writes and replaces without a pause, until it is told to end. */
function startTraffic(tokens: readonly string[], pointer: string) {
  const made: string[] = [];
  const failed: unknown[] = [];
  const ending = new AbortController();
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !ending.signal.aborted; round += 1) {
      const token = tokens[(worker + round * 7) % tokens.length] ?? '';
      const answers = [
        await reveal(token),
        await callAs(suite.state, 'order', 'POST', '/v1/tokens', card()),
        await callAs(suite.state, 'order', 'PUT', `/v1/tokens/${pointer}`, card()),
      ];
      made.push(String(answers[1]?.document['token']));
      failed.push(...answers.filter(({ status }) => status >= 300).map(({ document }) => document));
    }
  };
  const workers = [0, 1].map(work);
  return {
    async end(): Promise<{ made: string[]; failed: unknown[] }> {
      ending.abort();
      await Promise.all(workers);
      return { made, failed };
    },
  };
}

/** The command itself, without npm before it, which Ctrl-C ends. */
async function watchAndLeave(...options: string[]): Promise<Output> {
  const cli = join(import.meta.dirname, '..', '..', 'operator', 'cli.ts');
  const child = spawn(process.execPath, [cli, 'keys', 'rewrap', 'shop', ...options], {
    env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  while (!text.stderr.includes('rows looked at') && child.exitCode === null) await sleep(50);
  child.kill('SIGINT');
  const [code] = await closed;
  return { code, ...text };
}

describe('the keys of a tenant', () => {
  it('refuse what cannot be done, with a code and a way out', async () => {
    const unknown = await keys('rotate', 'nobody');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('tenants create')]);
    expect((await keys('census', 'nobody')).code).toBe(1);
    expect((await keys('rewrap', 'nobody')).code).toBe(1);
    expect((await keys('rotate', 'shop', '--subject', 'nobody')).code).toBe(1);
    expect((await keys('rotate', 'no/body')).code).toBe(2);
    expect((await keys('rewrap', 'shop', '--per-second', '0')).code).toBe(2);
    const { versions } = await census();
    const active = await keys('revoke-version', 'shop', versions[0]?.version ?? '', '--yes', '--force');
    expect([active.code, active.stderr]).toEqual([2, expect.stringContaining('is the active one')]);
    const none = await keys('revoke-version', 'shop', '00000000-0000-4000-8000-000000000000', '--yes');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no such version')]);
    expect(await census()).toMatchObject({ versions });
  });

  it('are rotated, rewrapped while others read and write, counted, and the old version destroyed', async () => {
    expect((await mesh(suite.run, ['subjects', 'create', 'shop', SUBJECT])).code).toBe(0);
    const cards = await Promise.all(Array.from({ length: RECORDS }, () => newToken(card())));
    const [pointer, once_, personal, coded, archived] = await Promise.all([
      newToken(card({ kind: 'pointer' })),
      newToken(card({ kind: 'one-time' })),
      newToken(card({ subject: SUBJECT })),
      newToken({ fields: { card: { class: 'pan', value: PAN }, code: { class: 'cvv', value: CODE } } }),
      newToken(card()),
    ]);
    const archive = await callAs(suite.state, 'order', 'POST', `/v1/tokens/${archived}/archive`);
    expect(archive.status).toBe(200);
    const [first = ''] = cards;
    const oldRow = await rowOf(first);
    expect(await openOfficially(messageIn(first, oldRow))).toBe(PAN);

    const rotated = await keys('rotate', 'shop', '--json');
    const { before, after } = JSON.parse(rotated.stdout) as { before: string; after: string };
    expect(branchKeyVersionOf(messageIn(first, oldRow))).toBe(before);
    expect((await keys('rotate', 'shop', '--subject', SUBJECT)).stdout).toMatch(
      /^subject customer-0042 of tenant shop: version [\da-f-]{36} -> [\da-f-]{36}\n/,
    );
    const inUse = await keys('revoke-version', 'shop', before, '--yes');
    expect([inUse.code, inUse.stderr]).toEqual([1, expect.stringContaining('were sealed under the version')]);
    expect((await census()).versions.map(({ version, isActive }) => [version, isActive])).toEqual([
      [after, true],
      [before, false],
    ]);

    const traffic = startTraffic(cards, pointer);
    const left = await watchAndLeave('--per-second', '4');
    expect([left.code, left.stderr]).toEqual([1, expect.stringContaining('the work goes on')]);
    const underWay = await keys('revoke-version', 'shop', before, '--yes');
    expect([underWay.code, underWay.stderr]).toEqual([1, expect.stringContaining('being sealed anew')]);
    const done = await keys('rewrap', 'shop', '--per-second', '40', '--json');
    const { made, failed } = await traffic.end();
    expect(failed).toEqual([]);
    expect(made.length).toBeGreaterThan(20);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('under way already')]);
    const nothing = { count: 0, references: [] };
    expect(JSON.parse(done.stdout)).toMatchObject({
      tenant: 'shop',
      older: 0,
      left: { unopenable: nothing, shredded: nothing, unreadable: nothing },
    });

    const { versions, subjects, ...rest } = await census();
    expect(versions.map(({ version, messages }) => [version, messages > 0])).toEqual([
      [after, true],
      [before, false],
    ]);
    expect([subjects, rest]).toMatchObject([
      { keys: 1, active: 1, older: 0 },
      { destroyed: 0, unreadable: 0 },
    ]);
    for (const token of [first, made[0] ?? '', made.at(-1) ?? '']) {
      expect(branchKeyVersionOf(messageIn(token, await rowOf(token)))).toBe(after);
    }
    expect((await mesh(suite.run, ['audit', 'verify'])).code).toBe(0);

    const unconfirmed = await keys('revoke-version', 'shop', before);
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const revoked = await keys('revoke-version', 'shop', before, '--yes');
    expect([revoked.code, revoked.stdout]).toEqual([
      0,
      expect.stringContaining(`version ${before} destroyed`),
    ]);
    await expect(openOfficially(messageIn(first, oldRow))).rejects.toThrow();
    expect(await openOfficially(messageIn(first, await rowOf(first)))).toBe(PAN);

    // Tasks drop what they hold within five seconds; nothing that counts needs it.
    await sleep(6_000);
    const restore = await callAs(suite.state, 'order', 'POST', `/v1/tokens/${archived}/restore`);
    expect(restore.status).toBe(200);
    for (const token of [...cards.slice(0, 5), pointer, once_, personal, archived, ...made.slice(-5)]) {
      expect((await reveal(token)).document).toEqual({ fields: { card: { value: PAN, form: 'plain' } } });
    }
    expect((await reveal(coded, ['code'])).document).toEqual({
      fields: { code: { value: CODE, form: 'plain' } },
    });
    expect((await mesh(suite.run, ['audit', 'verify'])).code).toBe(0);
  });

  it('lose what is still under a version that is destroyed by force, and only say so with --yes', async () => {
    const token = await newToken(card());
    const { before } = JSON.parse((await keys('rotate', 'shop', '--json')).stdout) as { before: string };
    const unconfirmed = await keys('revoke-version', 'shop', before, '--force');
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([
      2,
      expect.stringMatching(/[1-9]\d* messages would never open again/),
    ]);
    expect((await reveal(token)).status).toBe(200);
    const forced = await keys('revoke-version', 'shop', before, '--force', '--yes');
    expect([forced.code, forced.stdout]).toEqual([0, expect.stringMatching(/[1-9]\d* messages never open/)]);
    // Five seconds, and longer on a busy machine.
    for (let look = 0; look < 100 && (await reveal(token)).status === 200; look += 1) await sleep(200);
    expect((await reveal(token)).document).toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    const rewrapped = await keys('rewrap', 'shop');
    expect([rewrapped.code, rewrapped.stdout]).toEqual([
      1,
      expect.stringContaining('unopenable, by the references of the audit: '),
    ]);
    expect((await census()).destroyed).toBeGreaterThan(0);
  });
});
