import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { partitionOf } from '../../../../../sidecar/tokenizer/core/fingerprints/fingerprint.ts';
import {
  reindex,
  type ReindexProgress,
} from '../../../../../sidecar/tokenizer/core/fingerprints/reindexing.ts';
import type { AuditEvent } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { FORMAT_NAMES } from '../../../../../sidecar/tokenizer/core/formats/registry.ts';
import type { TokenizeRequest } from '../../../../../sidecar/tokenizer/core/vault.ts';
import { MemoryJobStore } from '../../../../fakes/memory-job-store.ts';
import { later, order, PAN, paybill, startVaultUnderTest } from '../../../../support/vault-under-test.ts';

const OTHER_PAN = '5555555555554444';

const same = (value: string, more: Partial<TokenizeRequest> = {}): TokenizeRequest => ({
  fields: { it: { class: 'pan', value } },
  kind: 'deterministic',
  ...more,
});

describe('a deterministic token', () => {
  it('is the same for the same value, and another for another value, tenant or format', async () => {
    const { vault, store } = startVaultUnderTest();
    const first = await vault.tokenize(order, same(PAN));
    const again = await vault.tokenize(order, same(PAN));
    expect(again).toEqual({ token: first.token, createdAt: first.createdAt, policyIds: first.policyIds });
    expect(store.records.size).toBe(1);
    const others = [
      await vault.tokenize(order, same(OTHER_PAN)),
      await vault.tokenize(order, same(PAN, { tenant: 'bank' })),
      await vault.tokenize(order, same(PAN, { format: 'uuid' })),
      await vault.tokenize(order, same(PAN, { kind: 'one-way' })),
      await vault.tokenize(order, same(PAN, { kind: 'random' })),
    ];
    expect(new Set([first, ...others].map(({ token }) => token)).size).toBe(6);
  });

  it('is one of one record for fifty who ask at once, alone and in a batch', async () => {
    const { vault, store } = startVaultUnderTest();
    const alone = await Promise.all(Array.from({ length: 50 }, () => vault.tokenize(order, same(PAN))));
    const batch = await vault.tokenizeBatch(
      order,
      Array.from({ length: 50 }, () => same(PAN)),
    );
    const tokens = [
      ...alone.map(({ token }) => token),
      ...batch.map((each) => 'result' in each && each.result.token),
    ];
    expect(new Set(tokens).size).toBe(1);
    expect(store.records.size).toBe(1);
  });

  it.each(FORMAT_NAMES.filter((name) => ['default', 'uuid', 'pan', 'pan-random'].includes(name)))(
    'leads back to its value in the format %s',
    async (format) => {
      const { vault } = startVaultUnderTest();
      const { token } = await vault.tokenize(order, same(PAN, { format }));
      expect((await vault.detokenize(paybill, { token })).fields.get('it')?.value).toBe(PAN);
    },
  );

  it('counts values as the same that are written another way', async () => {
    const { vault } = startVaultUnderTest();
    const mail = (value: string) =>
      vault.tokenize(order, { fields: { it: { class: 'email', value } }, kind: 'one-way' });
    expect((await mail('Joe@Example.COM')).token).toBe((await mail('Joe@example.com')).token);
    expect((await mail('Joe@example.com')).token).not.toBe((await mail('joe@example.com')).token);
  });

  it("takes another token where the first is another value's, and keeps to that", async () => {
    const { vault, store, observed } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, same(PAN, { format: 'pan' }));
    const record = store.records.get(`shop#${token}`);
    const { token: other } = await vault.tokenize(order, same(OTHER_PAN, { format: 'pan' }));
    const stranger = store.records.get(`shop#${other}`);
    if (record === undefined || stranger === undefined) throw new Error('expected records');
    store.records.set(`shop#${token}`, { ...record, kind: 'one-time' });
    const moved = await vault.tokenize(order, same(PAN, { format: 'pan' }));
    expect(moved.token).not.toBe(token);
    expect(moved.token).toMatch(/^0\d{11}1111$/);
    expect((await vault.tokenize(order, same(PAN, { format: 'pan' }))).token).toBe(moved.token);
    expect(observed).toEqual(['taken pan']);
  });

  it('is finished by the next call where one was cut off after any step', async () => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    const insert = store.insert.bind(store);
    store.insert = async () => {
      throw new Error('cut off');
    };
    await expect(vault.tokenize(order, same(PAN))).rejects.toThrow('cut off');
    expect([fingerprints.index.rows.size, store.records.size]).toEqual([1, 0]);
    store.insert = insert;
    const { token } = await vault.tokenize(order, same(PAN));
    fingerprints.index.rows.clear();
    expect((await vault.tokenize(order, same(PAN))).token).toBe(token);
    store.records.clear();
    expect((await vault.tokenize(order, same(PAN))).token).toBe(token);
    expect((await vault.detokenize(paybill, { token })).fields.get('it')?.value).toBe(PAN);
  });

  it('keeps the expiry of the first call, and comes back under the same token after it', async () => {
    const { vault, clock } = startVaultUnderTest();
    const first = await vault.tokenize(order, same(PAN, { ttlSeconds: 60 }));
    expect((await vault.tokenize(order, same(PAN, { ttlSeconds: 900 }))).expiresAt).toEqual(first.expiresAt);
    clock.now = later(60_000);
    await expect(vault.detokenize(paybill, first)).rejects.toMatchObject({ code: 'ERR_TOKEN_EXPIRED' });
    const second = await vault.tokenize(order, same(PAN, { ttlSeconds: 60 }));
    expect([second.token, second.expiresAt]).toEqual([first.token, later(120_000)]);
    expect((await vault.detokenize(paybill, second)).fields.get('it')?.value).toBe(PAN);
  });

  it('is refused while it is archived, and for more fields than one', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, same(PAN));
    await vault.archive(order, { token });
    await expect(vault.tokenize(order, same(PAN))).rejects.toMatchObject({ code: 'ERR_TOKEN_ARCHIVED' });
    const two = { a: { class: 'name', value: 'A' }, b: { class: 'name', value: 'B' } };
    await expect(vault.tokenize(order, { fields: two, kind: 'deterministic' })).rejects.toMatchObject({
      code: 'ERR_FORMAT_UNFIT',
    });
    await expect(vault.tokenize(order, same(PAN, { format: 'region' }))).rejects.toMatchObject({
      code: 'ERR_KIND_UNSUPPORTED',
    });
  });

  it('leaves nothing of its value behind once it is deleted', async () => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    for (const kind of ['deterministic', 'one-way']) {
      const { token } = await vault.tokenize(order, same(PAN, { kind }));
      await vault.delete(order, { token });
    }
    expect([store.records.size, fingerprints.index.rows.size]).toEqual([0, 0]);
  });
});

describe('a one-way token', () => {
  it('keeps no value, is refused to be turned back, and has its metadata', async () => {
    const { vault, store, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, same(PAN, { kind: 'one-way' }));
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_ONE_WAY' });
    expect(await vault.describe(order, { token })).toMatchObject({ kind: 'one-way' });
    const record = store.records.get(`shop#${token}`);
    const field = record?.fields.get('it');
    if (record === undefined || field === undefined) throw new Error('expected a record');
    const context = { tenant: 'shop', token, field: 'it', class: 'pan', kind: 'one-way' } as const;
    expect(Buffer.from(await sealer.open(field.message, context)).toString()).toMatch(/^shop#1#[a-p]{64}$/);
  });
});

describe('a search', () => {
  const findable = (value: string): TokenizeRequest => ({
    fields: { it: { class: 'pan', value, searchable: true }, name: { class: 'name', value: 'Joe' } },
  });
  const card = (value: string) => ({ class: 'pan', value });

  it('finds every token of a value that was made to be found, and no other', async () => {
    const { vault } = startVaultUnderTest();
    const made = await Promise.all([1, 2, 3].map(() => vault.tokenize(order, findable(PAN))));
    const [batched] = await vault.tokenizeBatch(order, [findable(PAN), findable(OTHER_PAN)]);
    const deterministic = await vault.tokenize(order, same(PAN));
    await vault.tokenize(order, { fields: { it: { class: 'pan', value: PAN } } });
    const tokens = [...made, deterministic].map(({ token }) => token);
    if (batched === undefined || 'error' in batched) throw new Error('expected a token');
    const found = await vault.search(order, card(PAN));
    expect([...found.tokens].toSorted()).toEqual([...tokens, batched.result.token].toSorted());
    expect(found.isWhole).toBe(true);
    expect((await vault.search(order, { ...card(PAN), tenant: 'bank' })).tokens).toEqual([]);
    expect((await vault.search(order, { class: 'text', value: PAN })).tokens).toEqual([]);
  });

  it('does not find what is deleted, expired or archived', async () => {
    const { vault, clock, fingerprints } = startVaultUnderTest();
    const [gone, archived] = [
      await vault.tokenize(order, findable(PAN)),
      await vault.tokenize(order, findable(PAN)),
    ];
    await vault.tokenize(order, { ...findable(PAN), ttlSeconds: 1 });
    await vault.delete(order, gone);
    await vault.archive(order, archived);
    expect(fingerprints.index.rows.size).toBe(2);
    clock.now = later(1_000);
    expect((await vault.search(order, card(PAN))).tokens).toEqual([]);
    expect((await vault.isTokenized(order, card(PAN))).isTokenized).toBe(false);
    await vault.restore(order, archived);
    expect((await vault.search(order, card(PAN))).tokens).toEqual([archived.token]);
    expect((await vault.isTokenized(order, card(PAN))).isTokenized).toBe(true);
  });

  it.each(['one-time', 'pointer', 'one-way'])(
    'refuses to be made of a token of the kind %s',
    async (kind) => {
      const { vault } = startVaultUnderTest();
      await expect(
        vault.tokenize(order, { fields: { it: { class: 'pan', value: PAN, searchable: true } }, kind }),
      ).rejects.toMatchObject({ code: 'ERR_KIND_UNSUPPORTED' });
    },
  );

  it('hands out no token that would not be found', async () => {
    const { vault, fingerprints } = startVaultUnderTest();
    fingerprints.index.isDown = true;
    await expect(vault.tokenize(order, findable(PAN))).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
    const results = await vault.tokenizeBatch(order, [findable(PAN), { fields: { it: card(PAN) } }]);
    expect(results.map((each) => 'error' in each)).toEqual([true, false]);
  });

  it('keeps no value, token or last four digits in its index', async () => {
    const { vault, fingerprints } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...findable(PAN), format: 'pan' });
    const rows = [...fingerprints.index.rows.values()];
    const text = rows
      .map((row) => `${row.partition}${row.sortKey}${Buffer.from(row.sealedToken).toString('latin1')}`)
      .join();
    expect(rows).toHaveLength(1);
    for (const secret of [PAN, token, PAN.slice(-4), token.slice(-8)]) expect(text).not.toContain(secret);
  });

  it('is told apart by rights: who may look at tokens may not search for values', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, findable(PAN));
    const denied = { code: 'ERR_OPERATION_DENIED' };
    await expect(vault.search(paybill, card(PAN))).rejects.toMatchObject(denied);
    await expect(vault.isTokenized(paybill, card(PAN))).rejects.toMatchObject(denied);
    expect((await vault.isValid(paybill, { token })).isValid).toBe(true);
    for (const other of [PAN, 'tkn_x', `${token}x`, '4fca0f4e-9d1e-4c8b-9a9b-0a0b0c0d0e0f']) {
      expect((await vault.isValid(paybill, { token: other })).isValid).toBe(false);
    }
  });
});

describe('a rotation of the fingerprint key', () => {
  const PHASES = [
    { write: [1], read: [1] },
    { write: [1], read: [2, 1] },
    { write: [1, 2], read: [2, 1] },
    { write: [2], read: [2, 1] },
    { write: [2], read: [2] },
  ];
  const card = { class: 'pan', value: PAN };

  async function reindexed(
    under: ReturnType<typeof startVaultUnderTest>,
    pageLength = 2,
    jobs = new MemoryJobStore(),
  ) {
    const events: AuditEvent[] = [];
    const outcome = await reindex(
      {
        vault: under.parts,
        jobs,
        holder: randomBytes(4).toString('hex'),
        identity: 'tokenizer.tokenmesh.internal',
        audit: { record: async (some) => void events.push(...some) },
        pages: {
          async page(cursor = '0') {
            const all = [...under.store.records.values()];
            const next = Number(cursor) + pageLength;
            const records = all.slice(Number(cursor), next);
            return next < all.length ? { records, cursor: String(next) } : { records };
          },
        },
      },
      'shop',
    );
    return { outcome, events };
  }

  it('never gives a value another token, and finds it in every phase', async () => {
    const under = startVaultUnderTest();
    const { vault, fingerprints } = under;
    const { token } = await vault.tokenize(order, same(PAN));
    const oneWay = await vault.tokenize(order, same(PAN, { kind: 'one-way' }));
    const { token: searchable } = await vault.tokenize(order, {
      fields: { it: { ...card, searchable: true } },
    });
    const proveAll = async (): Promise<void> => {
      expect((await vault.tokenize(order, same(PAN))).token).toBe(token);
      expect((await vault.tokenize(order, same(PAN, { kind: 'one-way' }))).token).toBe(oneWay.token);
      const { tokens } = await vault.search(order, card);
      expect([...tokens].toSorted()).toEqual([token, oneWay.token, searchable].toSorted());
    };
    for (const phase of PHASES.slice(0, 3)) {
      Object.assign(fingerprints.keys, phase);
      await proveAll();
    }
    expect((await reindexed(under)).outcome).toMatchObject({ indexed: 2, oneWay: 1, isDone: true });
    for (const phase of PHASES.slice(2)) {
      Object.assign(fingerprints.keys, phase);
      await proveAll();
    }
    expect(
      [...fingerprints.index.rows.values()].filter((row) => row.partition.startsWith('shop#1#')),
    ).toHaveLength(1);
  });

  it.each(PHASES.slice(0, -1).map((phase, index) => [index, phase, PHASES[index + 1]] as const))(
    'never gives a new value two tokens while tasks are one step apart: step %s',
    async (_step, phase, next) => {
      const { vault, store, fingerprints } = startVaultUnderTest();
      const ringOf = fingerprints.keys.ringOf.bind(fingerprints.keys);
      let calls = 0;
      fingerprints.keys.ringOf = async (tenant) => {
        Object.assign(fingerprints.keys, calls % 2 === 0 ? phase : next);
        calls += 1;
        return await ringOf(tenant);
      };
      for (let round = 0; round < 20; round += 1) {
        const value = `round ${round}`;
        const request = { fields: { it: { class: 'text', value } }, kind: 'deterministic' };
        const made = await Promise.all(Array.from({ length: 6 }, () => vault.tokenize(order, request)));
        expect(new Set(made.map(({ token }) => token)).size).toBe(1);
      }
      expect(store.records.size).toBe(20);
    },
  );

  it('goes on where a task that was ended left off, and is recorded once', async () => {
    const under = startVaultUnderTest();
    for (let index = 0; index < 7; index += 1) {
      await under.vault.tokenize(order, {
        fields: { it: { class: 'text', value: `value ${index}` } },
        kind: 'deterministic',
      });
    }
    Object.assign(under.fingerprints.keys, PHASES[2]);
    const jobs = new MemoryJobStore();
    const half: ReindexProgress = {
      version: 2,
      cursor: '4',
      records: 4,
      indexed: 4,
      oneWay: 0,
      unopenable: 0,
      isDone: false,
    };
    jobs.claims.set('reindex#shop', { holder: 'ended', until: new Date(0), progress: JSON.stringify(half) });
    const { outcome, events } = await reindexed(under, 2, jobs);
    expect(outcome).toMatchObject({ records: 7, indexed: 7, isDone: true });
    expect(events).toMatchObject([{ operation: 'reindex', tenant: 'shop', count: 7 }]);
    expect((await reindexed(under, 2, jobs)).outcome).toBe('busy');
  });

  it('makes fingerprints of one value that have nothing in common', async () => {
    const { fingerprints } = startVaultUnderTest();
    Object.assign(fingerprints.keys, PHASES[2]);
    const { read } = await fingerprints.keys.ringOf('shop');
    const made = read.map(
      (keys) => partitionOf(keys, { tenant: 'shop', class: 'pan', value: PAN }).split('#')[2],
    );
    expect(new Set(made).size).toBe(2);
    expect(made.every((each) => /^[a-p]{64}$/.test(each ?? ''))).toBe(true);
  });
});
