import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Gathering, type Sent } from '../../../../sidecar/tokenizer/adapters/gathering.ts';

const PATIENCE_MS = 60_000;

interface Call {
  readonly entries: readonly string[];
  readonly end: (sent?: readonly Sent<string>[]) => void;
}

const NAMED_STRINGS = {
  nameOf: (entry: string) => entry,
  exhausted: () => new Error('exhausted'),
  refused: () => new Error('refused'),
  late: () => new Error('late'),
  random: () => 0,
};

/** Calls that end when the test says so. */
function gathering(
  change: { mostInCall?: number; mostCalls?: number; mostWaiting?: number; waitMs?: number } = {},
) {
  const calls: Call[] = [];
  const gathered = new Gathering<string, string>({
    mostInCall: 3,
    mostCalls: 2,
    waitMs: 5,
    mostWaiting: 100,
    ...NAMED_STRINGS,
    ...change,
    send: async (entries) => {
      const { promise, resolve } = Promise.withResolvers<readonly Sent<string>[]>();
      calls.push({
        entries,
        end: (sent = entries.map((entry) => ({ result: `${entry} done` }))) => resolve(sent),
      });
      return await promise;
    },
  });
  const add = (entry: string, patienceMs = PATIENCE_MS) => {
    const told = gathered.add(entry, patienceMs);
    // What a test leaves behind is told that it is late, a minute after, when another suite runs.
    told.catch(() => undefined);
    return told;
  };
  return { gathered, calls, add };
}

/** What was asked for in this turn of the event loop is sent by then. */
const turn = () => nextTurn();

/** Waits for so many calls; a busy machine takes its time. */
async function untilCalls(calls: readonly unknown[], count: number): Promise<void> {
  while (calls.length < count) await sleep(1);
  expect(calls).toHaveLength(count);
}

describe('what is asked for one at a time', () => {
  it('goes at once where nothing is under way', async () => {
    const { add, calls } = gathering();
    const asked = add('a');
    await turn();
    expect(calls.map(({ entries }) => entries)).toEqual([['a']]);
    calls[0]?.end();
    expect(await asked).toBe('a done');
  });

  it('goes together where it comes in one turn', async () => {
    const { add, calls } = gathering();
    const asked = Promise.all(['a', 'b'].map((entry) => add(entry)));
    await turn();
    expect(calls.map(({ entries }) => entries)).toEqual([['a', 'b']]);
    calls[0]?.end();
    expect(await asked).toEqual(['a done', 'b done']);
  });

  it('goes when a call is full, without waiting', () => {
    const { add, calls } = gathering();
    for (const entry of ['a', 'b', 'c', 'd', 'e', 'f']) void add(entry);
    expect(calls.map(({ entries }) => entries)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
  });

  it('waits for company while a call is under way, and no longer than it may', async () => {
    const { add, calls } = gathering();
    void add('a');
    await turn();
    void add('b');
    await untilCalls(calls, 2);
    expect(calls.map(({ entries }) => entries)).toEqual([['a'], ['b']]);
  });

  it('goes when a call ends, with all that came meanwhile', async () => {
    const { add, calls } = gathering({ mostCalls: 1, waitMs: 1 });
    void add('a');
    await turn();
    void add('b');
    void add('c');
    await sleep(10);
    expect(calls).toHaveLength(1);
    calls[0]?.end();
    await turn();
    expect(calls.map(({ entries }) => entries)).toEqual([['a'], ['b', 'c']]);
  });

  it('never has two entries of one name in one call', async () => {
    const { add, calls } = gathering();
    const asked = Promise.all(['a', 'a', 'b'].map((entry) => add(entry)));
    await turn();
    expect(calls.map(({ entries }) => entries)).toEqual([['a', 'b'], ['a']]);
    for (const call of calls) call.end();
    expect(await asked).toEqual(['a done', 'a done', 'b done']);
  });

  it('is tried again where a call leaves it undone, and given up in the end', async () => {
    const { add, calls } = gathering();
    const asked = add('a');
    const outcome = asked.catch((error: unknown) => error);
    for (let each = 0; each < 6; each += 1) {
      await untilCalls(calls, each + 1);
      calls[each]?.end(['undone']);
    }
    expect(await outcome).toEqual(new Error('exhausted'));
  });

  it('does not wait for what else of its call was left undone', async () => {
    const { add, calls } = gathering();
    const [done, undone] = [add('a'), add('b')];
    await turn();
    calls[0]?.end([{ result: 'a done' }, 'undone']);
    expect(await done).toBe('a done');
    await untilCalls(calls, 2);
    calls[1]?.end();
    expect(await undone).toBe('b done');
  });

  it('is refused at once where too much waits', async () => {
    const { add, gathered } = gathering({ mostWaiting: 4, mostCalls: 1, mostInCall: 2 });
    for (const entry of ['a', 'b', 'c', 'd', 'e', 'f']) void add(entry);
    expect(gathered.waiting).toBe(4);
    await expect(add('g')).rejects.toThrow('refused');
  });

  it('is told when its time is up, and is in no further call', async () => {
    const { add, calls } = gathering({ mostCalls: 1 });
    void add('a');
    await turn();
    const late = add('b', 1);
    void add('c');
    await expect(late).rejects.toThrow('late');
    calls[0]?.end();
    await untilCalls(calls, 2);
    expect(calls.map(({ entries }) => entries)).toEqual([['a'], ['c']]);
  });

  it('is told when its time is up though its call is under way, and what comes of that changes nothing', async () => {
    const { add, calls } = gathering();
    const late = add('a', 1);
    await untilCalls(calls, 1);
    await expect(late).rejects.toThrow('late');
    calls[0]?.end();
    const next = add('b');
    await untilCalls(calls, 2);
    calls[1]?.end();
    expect(await next).toBe('b done');
  });

  it('is done exactly once and told of it, whatever calls leave undone', async () => {
    const outcome = fc.constantFrom('done', 'undone', 'error');
    const plan = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.array(outcome, { maxLength: 200 }));
    const isTold = fc.asyncProperty(plan, async ([count, outcomes]) => {
      const done: string[] = [];
      const gathered = new Gathering<string, string>({
        ...NAMED_STRINGS,
        mostInCall: 7,
        mostCalls: 3,
        waitMs: 0,
        mostWaiting: 1_000,
        send: async (entries) => {
          await turn();
          return entries.map((entry): Sent<string> => {
            const what = outcomes.shift() ?? 'done';
            if (what === 'undone') return 'undone';
            if (what === 'error') return { error: new Error('failed') };
            done.push(entry);
            return { result: entry };
          });
        },
      });
      const names = Array.from({ length: count }, (_, at) => `entry ${at}`);
      const told = await Promise.allSettled(names.map((name) => gathered.add(name, PATIENCE_MS)));
      const fulfilled = told.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(done.toSorted()).toEqual(fulfilled.toSorted());
      expect(new Set(done).size).toBe(done.length);
    });
    await fc.assert(isTold, { numRuns: 50 });
  });
});
