import { describe, expect, it } from '@jest/globals';
import { invokeAsynchronously, type DeadLetter } from '../../local/asynchronous-invocation.ts';

async function deliver(
  failures: number,
): Promise<{ delivery: unknown; waits: number[]; letters: DeadLetter[] }> {
  const [waits, letters]: [number[], DeadLetter[]] = [[], []];
  let tries = 0;
  const delivery = await invokeAsynchronously(
    {
      handler: async (event: string) => {
        tries += 1;
        if (tries <= failures) throw new Error(`fault ${tries} of ${event}`);
        return event;
      },
      deadLetters: { send: async (letter) => void letters.push(letter) },
      sleep: async (ms) => void waits.push(ms),
    },
    'event',
  );
  return { delivery, waits, letters };
}

describe('an event', () => {
  it.each([
    [0, []],
    [1, [60_000]],
    [2, [60_000, 120_000]],
  ])('is handled after %s faults, a minute and then two apart', async (failures, expected) => {
    const { delivery, waits, letters } = await deliver(failures);
    expect(delivery).toEqual({ outcome: 'handled', result: 'event', tries: failures + 1 });
    expect(waits).toEqual(expected);
    expect(letters).toEqual([]);
  });

  it('goes to the dead-letter queue after the third fault, with the last reason', async () => {
    const { delivery, letters } = await deliver(3);
    expect(delivery).toMatchObject({ outcome: 'dead-lettered', tries: 3 });
    expect(letters).toEqual([
      { requestId: expect.any(String), event: 'event', errorMessage: 'fault 3 of event' },
    ]);
  });
});
