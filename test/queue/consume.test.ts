import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createHandler } from '../../queue/handler.ts';
import type { Part } from '../../queue/part.ts';
import { resultStoreContract } from '../contracts/result-store.contract.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { MemoryResults } from '../fakes/memory-results.ts';
import {
  eventOf,
  openly,
  PAN,
  partWith,
  recordWith,
  TokenizerUnderTest,
} from '../support/queue-under-test.ts';

const memory = new MemoryResults();
resultStoreContract('in memory', () => memory);

function functionUnderTest() {
  const [tokenizer, results, log] = [new TokenizerUnderTest(), new MemoryResults(), captureLog()];
  const handle = createHandler({ opener: openly, tokenizer, results, logger: log.logger });
  const send = async (parts: readonly Part[], queue?: string) => {
    const bodies = await Promise.all(
      parts.map(async (part) => ({ body: await openly.seal(part), group: part.load })),
    );
    const { batchItemFailures } = await handle(eventOf(bodies, queue));
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { tokenizer, results, log, handle, send };
}

describe('a part of a load', () => {
  it('gets a line for each record, with its row and its token', async () => {
    const { send, results } = functionUnderTest();
    const part = partWith({ part: 3, firstRow: 201 });
    expect(await send([part])).toEqual([]);
    expect(await results.read(part)).toEqual([
      { row: 201, token: 'tkn_1' },
      { row: 202, token: 'tkn_2' },
    ]);
  });

  it('that comes again has the tokens it had, and nobody is asked', async () => {
    const { send, results, tokenizer } = functionUnderTest();
    const part = partWith();
    await send([part]);
    const first = await results.read(part);
    expect(await send([part, part])).toEqual([]);
    expect(await results.read(part)).toEqual(first);
    expect(tokenizer.calls).toHaveLength(1);
  });

  it('that comes twice at once makes each token once', async () => {
    const { send, results, tokenizer } = functionUnderTest();
    const part = partWith();
    expect(await send([part, part, part])).toEqual([]);
    expect(tokenizer.made.size).toBe(2);
    expect(await results.read(part)).toHaveLength(2);
  });

  it('tells which record the tokenizer does not take, and does not try it again', async () => {
    const { send, results, tokenizer } = functionUnderTest();
    const refused = { code: 'ERR_VALUE_INVALID', remedy: 'correct it' };
    tokenizer.instead = (record) => (record.fields['number']?.value === PAN ? { refused } : undefined);
    const part = partWith();
    expect(await send([part])).toEqual([]);
    expect(await results.read(part)).toEqual([
      { row: 1, ...refused },
      { row: 2, token: 'tkn_1' },
    ]);
  });

  it('comes again as a whole where one record may succeed later, and then keeps what it had', async () => {
    const { send, results, tokenizer } = functionUnderTest();
    tokenizer.instead = (record) =>
      record.fields['number']?.value === PAN ? { later: 'ERR_STORE_UNAVAILABLE' } : undefined;
    const part = partWith();
    expect(await send([part])).toEqual(['message-1']);
    expect(await results.has(part)).toBe(false);
    const [kept] = tokenizer.made.values();
    tokenizer.instead = () => undefined;
    expect(await send([part])).toEqual([]);
    expect((await results.read(part))[1]).toEqual({ row: 2, token: kept });
    expect(tokenizer.made.size).toBe(2);
  });
});

describe('a batch of messages', () => {
  it('answers those that failed and no others', async () => {
    const { tokenizer, send } = functionUnderTest();
    tokenizer.instead = (record) =>
      record.fields['number']?.value === PAN ? { later: 'ERR_STORE_UNAVAILABLE' } : undefined;
    const fine = () => partWith({ items: [recordWith('4242424242424242')] });
    expect(await send([fine(), partWith(), fine(), partWith()])).toEqual(['message-2', 'message-4']);
  });

  it('answers all of them where all failed, and does not throw', async () => {
    const { handle } = functionUnderTest();
    const event = eventOf([{ body: 'not a part' }, { body: '' }]);
    expect((await handle(event)).batchItemFailures).toHaveLength(2);
  });

  it('of a FIFO queue fails what is behind a failed one of its group, and goes on with the others', async () => {
    const { tokenizer, results, send } = functionUnderTest();
    const [slow, other] = [randomUUID(), randomUUID()];
    tokenizer.instead = (record) =>
      record.fields['number']?.value === PAN ? { later: 'ERR_STORE_UNAVAILABLE' } : undefined;
    const fine = [recordWith('4242424242424242')];
    const parts = [
      partWith({ load: slow, part: 1, items: fine }),
      partWith({ load: slow, part: 2 }),
      partWith({ load: other, part: 1, items: fine }),
      partWith({ load: slow, part: 3, items: fine }),
      partWith({ load: other, part: 2, items: fine }),
    ];
    expect(await send(parts, 'tokenmesh-bulk.fifo')).toEqual(['message-2', 'message-4']);
    expect(await results.list(slow)).toEqual([1]);
    expect(await results.list(other)).toEqual([1, 2]);
    expect(tokenizer.calls).not.toContain(`${slow}.3`);
  });

  it.each([
    ['text', 'hello'],
    ['records that are none', JSON.stringify([{}, [{ fields: { number: { value: PAN } } }]])],
    [
      'another number of records',
      JSON.stringify([
        { purpose: 'tokenmesh-bulk', load: 'a-load-of-mine', part: '1', 'first-row': '1', records: '2' },
        [recordWith(PAN)],
      ]),
    ],
    [
      'another purpose',
      JSON.stringify([
        { purpose: 'tokenmesh', load: 'a-load-of-mine', part: '1', 'first-row': '1', records: '1' },
        [recordWith(PAN)],
      ]),
    ],
  ])('refuses a message that holds %s', async (_what, body) => {
    const { handle, tokenizer, log } = functionUnderTest();
    expect((await handle(eventOf([{ body }]))).batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }]);
    expect(tokenizer.calls).toEqual([]);
    expect(log.text()).toContain('ERR_QUEUE_MESSAGE_UNREADABLE');
    expect(log.text()).not.toContain(PAN);
  });

  it('logs ids and counts, and nothing of a record, whatever fails', async () => {
    const { tokenizer, send, log } = functionUnderTest();
    await send([partWith()]);
    tokenizer.tokenize = async (records) => {
      throw new Error(`did not work with ${JSON.stringify(records)}`);
    };
    await send([partWith()]);
    expect(log.lines().map(({ msg }) => msg)).toEqual(['part consumed', 'part failed and comes again']);
    expect(log.lines()[0]).toMatchObject({
      part: 1,
      records: 2,
      refused: 0,
      outcome: 'tokenized',
      receives: 1,
    });
    expect(/4111111111111111|4242424242424242|tkn_/.test(log.text())).toBe(false);
  });
});
