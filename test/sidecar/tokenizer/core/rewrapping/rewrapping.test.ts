import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { branchKeyVersionOf } from '../../../../../sidecar/tokenizer/core/crypto/branch-key-version.ts';
import { contextOf } from '../../../../../sidecar/tokenizer/core/encryption-context.ts';
import {
  AuditUnavailableError,
  StoreUnavailableError,
} from '../../../../../sidecar/tokenizer/core/errors.ts';
import type { TokenRecord } from '../../../../../sidecar/tokenizer/core/ports.ts';
import { takeCensus } from '../../../../../sidecar/tokenizer/core/rewrapping/census.ts';
import type { SealedRow } from '../../../../../sidecar/tokenizer/core/rewrapping/ports.ts';
import type { RewrapProgress } from '../../../../../sidecar/tokenizer/core/rewrapping/progress.ts';
import { rewrap, type RewrappingParts } from '../../../../../sidecar/tokenizer/core/rewrapping/rewrapping.ts';
import { sealFields } from '../../../../../sidecar/tokenizer/core/seal-fields.ts';
import { codeContext } from '../../../../../sidecar/tokenizer/core/security-code.ts';
import { newToken } from '../../../../contracts/token-store.contract.ts';
import { MemoryJobStore } from '../../../../fakes/memory-job-store.ts';
import {
  MemoryResealStore,
  MemoryRewrapAsks,
  MemorySealedRows,
} from '../../../../fakes/memory-rewrapping.ts';
import { MemoryTokenStore } from '../../../../fakes/memory-token-store.ts';
import { sealerUnderTest } from '../../../../support/sealer-under-test.ts';

const START_MS = Date.UTC(2026, 2, 4);
const VALUE = '4111111111111111';

/** A store, its keys, and a task that seals it anew; the clock moves where the task waits. */
function startWork() {
  const store = new MemoryTokenStore();
  const rows = new MemorySealedRows(store);
  const reseal = new MemoryResealStore(store);
  const { source, clock, sealer } = sealerUnderTest(['shop', 'shop/someone', 'other']);
  const events: AuditEvent[] = [];
  const audit = { isDown: false, beforeRecord: () => undefined as void };
  const pauses: number[] = [];
  const task = { isStopping: false };
  const asks = new MemoryRewrapAsks();
  const jobs = new MemoryJobStore();
  const now = () => new Date(START_MS + clock.ms);
  const partsOf = (holder: string): RewrappingParts => ({
    ...{ store, rows, reseal, sealer, asks, jobs, holder, now },
    versions: source,
    identity: 'tokenizer',
    audit: {
      async record(recorded) {
        audit.beforeRecord();
        if (recorded.length === 0) throw new Error('expected something to record');
        if (audit.isDown) throw new AuditUnavailableError();
        events.push(...recorded);
      },
    },
    referenceOf: async (token) => `reference of ${token}`,
    pause: async (ms) => {
      pauses.push(ms);
      clock.ms += ms;
    },
    isStopping: () => task.isStopping,
  });
  const put = async (change: Partial<TokenRecord> = {}): Promise<TokenRecord> => {
    const bound = { tenant: 'shop', token: newToken(), createdAt: new Date(START_MS), ...change };
    const value = { field: 'card', class: 'pan', value: VALUE } as const;
    const record = { ...bound, fields: await sealFields(sealer, bound, [value]) };
    await store.insert(record);
    return record;
  };
  const putCode = async (record: TokenRecord) => {
    const expiresAt = new Date(START_MS + 3_600_000);
    const message = await sealer.seal(Buffer.from('123'), codeContext(record, 'code', expiresAt));
    const code = { tenant: record.tenant, token: record.token, field: 'code', message, expiresAt };
    await store.insertCodes([code]);
    return code;
  };
  const found = async (record: TokenRecord): Promise<TokenRecord> => {
    const there = await store.find(record);
    if (there === undefined) throw new Error('expected the record to be there');
    return there;
  };
  return {
    ...{ store, rows, reseal, source, clock, sealer, events, audit, pauses, task, asks, jobs, partsOf },
    put,
    putCode,
    found,
    messageOf: async (record: TokenRecord) =>
      (await found(record)).fields.get('card')?.message ?? Uint8Array.of(),
    valueOf: async (record: TokenRecord) => {
      const there = await found(record);
      const field = there.fields.get('card');
      if (field === undefined) return undefined;
      return Buffer.from(await sealer.open(field.message, contextOf(there, 'card', field.class))).toString(
        'utf8',
      );
    },
    /** A new version, of which the task has heard. */
    rotate: (id = 'shop') => {
      const version = source.rotate(id);
      clock.ms += 60_000;
      return version;
    },
    ask: async (perSecond = 1_000, id = 'first') =>
      await asks.put('shop', { id, perSecond, startAt: new Date(START_MS) }),
    run: async (holder = 'one') => await rewrap(partsOf(holder), 'shop'),
  };
}

let work: ReturnType<typeof startWork>;

beforeEach(() => {
  work = startWork();
});

function counted(done: RewrapProgress | 'idle' | 'busy'): unknown {
  if (typeof done === 'string') return done;
  const { records, codes, current, expired, overtaken, isDone } = done;
  return { records, codes, current, expired, overtaken, isDone };
}

const NONE = { records: 0, codes: 0, current: 0, expired: 0, overtaken: 0, isDone: true };

describe('records that are sealed anew', () => {
  it('are under the newest version, in messages of their own, and open as before', async () => {
    const record = await work.put();
    const before = await work.messageOf(record);
    const newest = work.rotate();
    await work.ask();
    expect(counted(await work.run())).toEqual({ ...NONE, records: 1 });
    const after = await work.messageOf(record);
    expect(branchKeyVersionOf(after)).toBe(newest);
    // The message id, which is from byte 3 on.
    expect(Buffer.from(after).subarray(3, 35)).not.toEqual(Buffer.from(before).subarray(3, 35));
    expect(await work.valueOf(record)).toBe(VALUE);
  });

  it('are those of the tenant, its subjects and their security codes, and no others', async () => {
    const [mine, subjects, others] = [
      await work.put(),
      await work.put({ subject: 'someone' }),
      await work.put({ tenant: 'other' }),
    ];
    const codes = [await work.putCode(mine), await work.putCode(subjects)];
    const other = await work.messageOf(others);
    const versions = ['shop', 'shop/someone', 'other'].map((id) => work.rotate(id));
    await work.ask();
    expect(counted(await work.run())).toEqual({ ...NONE, records: 2, codes: 2 });
    expect(branchKeyVersionOf(await work.messageOf(mine))).toBe(versions[0]);
    expect(branchKeyVersionOf(await work.messageOf(subjects))).toBe(versions[1]);
    expect(await work.messageOf(others)).toEqual(other);
    for (const [index, code] of codes.entries()) {
      const there = await work.store.findCode(code);
      const record = await work.found(index === 0 ? mine : subjects);
      expect(branchKeyVersionOf(there?.message ?? Uint8Array.of())).toBe(versions[index]);
      const context = codeContext(record, code.field, code.expiresAt);
      expect(Buffer.from(await work.sealer.open(there!.message, context)).toString()).toBe('123');
    }
  });

  it('leave alone what is under the newest version, has expired, or has nothing sealed in it', async () => {
    await work.put({ expiresAt: new Date(START_MS + 60_000) });
    const once = await work.put({ kind: 'one-time' });
    await work.store.consume({ ...once, fields: new Map(), consumedAt: new Date(START_MS) });
    work.rotate();
    const current = await work.put();
    const message = await work.messageOf(current);
    await work.ask();
    expect(counted(await work.run())).toEqual({ ...NONE, current: 2, expired: 1 });
    expect(await work.messageOf(current)).toEqual(message);
    expect(work.events).toEqual([]);
  });

  it('are told to the audit before and after, the second time as the row is then', async () => {
    const record = await work.put();
    work.rotate();
    await work.ask();
    work.reseal.meanwhile = async () => {
      work.clock.ms += 1;
      await work.store.archive(record, new Date(START_MS + 5));
    };
    await work.run();
    const about = { identity: 'tokenizer', tenant: 'shop', token: record.token, operation: 'rewrap' };
    expect(work.events).toEqual([
      { ...about, outcome: 'begun', fields: [{ class: 'pan' }], at: new Date(START_MS + 60_000) },
      {
        ...about,
        outcome: 'ok',
        fields: [{ class: 'pan' }],
        at: new Date(START_MS + 60_001),
        stored: await work.found(record),
      },
    ]);
    expect((await work.found(record)).archivedAt).toBeDefined();
  });

  it('lose to whoever deletes, replaces or uses them up meanwhile', async () => {
    const deleted = await work.put();
    const replaced = await work.put({ kind: 'pointer', revision: 1 });
    const used = await work.put({ kind: 'one-time' });
    work.rotate();
    const next = { ...replaced, revision: 2, fields: new Map() };
    const tombstone = { ...used, fields: new Map(), consumedAt: new Date(START_MS) };
    work.reseal.meanwhile = async () => {
      await work.store.remove(deleted);
      await work.store.replace(next, 1);
      await work.store.consume(tombstone);
    };
    await work.ask();
    expect(counted(await work.run())).toEqual({ ...NONE, overtaken: 3 });
    expect([...work.store.records.values()]).toEqual([next, tombstone]);
    expect(work.events.slice(3).map(({ outcome, stored }) => [outcome, stored])).toEqual(
      Array.from({ length: 3 }, () => ['ERR_REWRAP_OVERTAKEN', undefined]),
    );
  });

  it('name what does not open by references, and do not touch it', async () => {
    const [gone, changed] = [await work.put({ subject: 'someone' }), await work.put()];
    const field = { class: 'pan', message: Buffer.alloc(200, 2) } as const;
    await work.store.remove(changed);
    await work.store.insert({ ...changed, fields: new Map([['card', field]]) });
    work.rotate();
    work.source.destroy('shop/someone');
    await work.ask();
    const done = await work.run();
    expect(done).toMatchObject({
      records: 0,
      left: {
        unopenable: { count: 1, references: [`reference of ${changed.token}`] },
        shredded: { count: 1, references: [`reference of ${gone.token}`] },
        unreadable: { count: 0, references: [] },
      },
    });
    expect(await work.messageOf(changed)).toEqual(field.message);
    expect(work.events.map(({ token, outcome }) => [token, outcome])).toEqual([
      [changed.token, 'ERR_RECORD_UNOPENABLE'],
    ]);
  });

  it('wait for a key that cannot be had, and are not marked unopenable for it', async () => {
    await work.put();
    work.rotate();
    await work.ask();
    work.source.isKmsDown = true;
    work.clock.ms += 4_000_000;
    await expect(work.run()).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    work.source.isKmsDown = false;
    work.clock.ms += 6_000;
    expect(counted(await work.run())).toEqual({ ...NONE, records: 1 });
  });

  it('wait for the task to hear of the newest version', async () => {
    const record = await work.put();
    const message = await work.messageOf(record);
    work.source.rotate('shop');
    await work.ask();
    await expect(work.run()).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    expect(await work.messageOf(record)).toEqual(message);
    work.clock.ms += 6_000;
    expect(counted(await work.run())).toEqual({ ...NONE, records: 1 });
  });
});

describe('the work of sealing anew', () => {
  it('is idle until somebody asks, and until it is time', async () => {
    expect(await work.run()).toBe('idle');
    await work.asks.put('shop', { id: 'first', perSecond: 1, startAt: new Date(START_MS + 10) });
    expect(await work.run()).toBe('idle');
    work.clock.ms = 10;
    expect(counted(await work.run())).toEqual(NONE);
    expect(await work.run()).toBe('idle');
  });

  it('is one task’s at a time', async () => {
    await work.put();
    work.rotate();
    await work.ask();
    work.reseal.meanwhile = async () => expect(await work.run('two')).toBe('busy');
    expect(counted(await work.run('one'))).toEqual({ ...NONE, records: 1 });
  });

  it('writes no more rows in a second than was asked for', async () => {
    for (let count = 0; count < 10; count += 1) await work.put();
    work.rotate();
    await work.ask(4);
    expect(counted(await work.run())).toEqual({ ...NONE, records: 10 });
    expect(work.pauses).toEqual([1_000, 1_000]);
  });

  it('goes on with another task where one died, and tells the audit of what that had begun', async () => {
    const records = [await work.put(), await work.put(), await work.put(), await work.put()];
    const newest = work.rotate();
    await work.ask(2);
    let writes = 0;
    work.reseal.meanwhile = () => {
      writes += 1;
    };
    work.audit.beforeRecord = () => {
      // The process ends after the writes of the second page, before the audit hears of them.
      if (writes === 4) work.audit.isDown = true;
    };
    await expect(work.run('one')).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    work.audit.isDown = false;
    work.audit.beforeRecord = () => undefined;
    expect(await work.run('two')).toBe('busy');
    work.clock.ms += 20_000;
    expect(counted(await work.run('two'))).toEqual({ ...NONE, records: 4 });
    for (const record of records) {
      expect(branchKeyVersionOf(await work.messageOf(record))).toBe(newest);
      const last = work.events.findLast(({ token }) => token === record.token);
      expect([last?.outcome, last?.stored]).toEqual(['ok', await work.found(record)]);
    }
  });

  it('tells the audit of what was written, though another row could not be', async () => {
    const [first] = [await work.put(), await work.put()];
    work.rotate();
    await work.ask();
    work.reseal.meanwhile = ({ token }) => {
      if (token !== first.token) throw new StoreUnavailableError();
    };
    await expect(work.run()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    expect(work.events.map(({ outcome }) => outcome)).toEqual(['begun', 'begun', 'ok']);
  });

  it('ends with its page where the task is to end, and gives the job back', async () => {
    for (let count = 0; count < 4; count += 1) await work.put();
    work.rotate();
    await work.ask(2);
    work.task.isStopping = true;
    expect(counted(await work.run('one'))).toEqual({ ...NONE, records: 2, isDone: false });
    work.task.isStopping = false;
    expect(counted(await work.run('two'))).toEqual({ ...NONE, records: 4 });
  });

  it('begins anew where it is asked for anew', async () => {
    const record = await work.put();
    work.rotate();
    await work.ask();
    await work.run();
    const newest = work.rotate();
    await work.ask(1_000, 'second');
    expect(counted(await work.run())).toEqual({ ...NONE, records: 1 });
    expect(branchKeyVersionOf(await work.messageOf(record))).toBe(newest);
  });
});

describe('the census', () => {
  async function* given(rows: Iterable<SealedRow>): AsyncGenerator<SealedRow> {
    yield* rows;
  }

  it('counts messages by key and version, a code under the key of its record', async () => {
    const subjects = await work.put({ subject: 'someone', code: { field: 'code', expiresAt: new Date(0) } });
    await work.putCode(subjects);
    await work.put();
    const [shop, someone] = await Promise.all(
      ['shop', 'shop/someone'].map(async (id) => (await work.source.describe(id)).active ?? ''),
    );
    const census = await takeCensus(given([...work.rows.all()].toReversed()), new Date(START_MS));
    expect(census).toEqual({
      messages: new Map([
        ['shop', new Map([[shop, 1]])],
        ['shop/someone', new Map([[someone, 2]])],
      ]),
      unreadable: 0,
      expired: 0,
    });
  });

  it('counts apart what has expired and what cannot be read, and ends at 0 for the old version', async () => {
    await work.put({ expiresAt: new Date(START_MS + 1) });
    const record = await work.put();
    const before = (await work.source.describe('shop')).active ?? '';
    const newest = work.rotate();
    await work.ask();
    await work.run();
    const unreadable = { kind: 'unreadable', key: record } as const;
    const garbage = { class: 'pan', message: Buffer.from('no message') } as const;
    const broken = {
      kind: 'record',
      record: { ...record, fields: new Map([['card', garbage]]) },
    } as const;
    const census = await takeCensus(given([...work.rows.all(), unreadable, broken]), new Date(START_MS + 1));
    expect(census.messages.get('shop')?.get(before)).toBeUndefined();
    expect(census).toMatchObject({ unreadable: 2, expired: 1 });
    expect(census.messages.get('shop')?.get(newest)).toBe(1);
  });
});
