import { describe, expect, it } from '@jest/globals';
import type { LeakSearch } from '../../../local/leaks.ts';
import { Ledger, SCENE_MARK, type ItemAnswer } from '../../../local/scenes/ledger.ts';
import { checkPromises } from '../../../local/scenes/promises.ts';
import { panProblem } from '../../../sidecar/tokenizer/core/pan.ts';

const CLEAN: LeakSearch = { files: 3, items: 4, found: [] };

const STORE_DOWN: ItemAnswer = { status: 503, code: 'ERR_STORE_UNAVAILABLE' };
const KEY_DOWN: ItemAnswer = { status: 503, code: 'ERR_KEY_UNAVAILABLE' };

/** A vault with these tokens, and the card behind each. */
async function check(ledger: Ledger, stored: ReadonlyMap<string, string>, search = CLEAN) {
  return await checkPromises(ledger, {
    storedTokens: async () => [...stored.keys()],
    open: async (tokens) => new Map([...stored].filter(([token]) => tokens.includes(token))),
    search: async () => search,
  });
}

function told(answer: ItemAnswer): { ledger: Ledger; card: string } {
  const ledger = new Ledger();
  const card = ledger.nextCard();
  ledger.write(card, answer);
  return { ledger, card };
}

describe('a card of a scene', () => {
  it('is a well-formed number that no other is', () => {
    const ledger = new Ledger();
    const cards = Array.from({ length: 50 }, () => ledger.nextCard());
    expect(new Set(cards).size).toBe(50);
    expect(cards.map(panProblem).filter((problem) => problem !== undefined)).toEqual([]);
    expect(cards.every((card) => card.startsWith(SCENE_MARK))).toBe(true);
  });
});

describe('the promises', () => {
  it('hold where each token opens to its value and nothing else is stored', async () => {
    const { ledger, card } = told({ token: 'a' });
    const kept = await check(ledger, new Map([['a', card]]));
    expect(kept).toMatchObject({ handedOut: 1, refused: 0, unsure: 0, broken: [] });
  });

  it('leave open what an error left open', async () => {
    for (const answer of [STORE_DOWN, {}, { status: 504, code: 'ERR_BACKEND_TIMEOUT' }]) {
      const { ledger, card } = told(answer);
      expect(await check(ledger, new Map([['a', card]]))).toMatchObject({
        unsure: 1,
        storedUnsure: 1,
        broken: [],
      });
      expect(await check(ledger, new Map())).toMatchObject({ unsure: 1, storedUnsure: 0, broken: [] });
    }
  });

  it.each<[string, ItemAnswer, (card: string) => Map<string, string>]>([
    ['a token that was handed out is not there', { token: 'a' }, () => new Map()],
    ['a token opens to another value', { token: 'a' }, () => new Map([['a', '4111111111111111']])],
    [
      'a value is stored twice',
      { token: 'a' },
      (card) =>
        new Map([
          ['a', card],
          ['b', card],
        ]),
    ],
    [
      'a value is stored after a 4xx',
      { status: 429, code: 'ERR_RATE_LIMITED' },
      (card) => new Map([['a', card]]),
    ],
    ['a value is stored for which there was no key', KEY_DOWN, (card) => new Map([['a', card]])],
    ['a value is stored that nobody sent', STORE_DOWN, () => new Map([['a', '4111111111111111']])],
  ])('are broken where %s', async (_what, answer, storedFor) => {
    const { ledger, card } = told(answer);
    expect((await check(ledger, storedFor(card))).broken).toHaveLength(1);
  });

  it('are broken where one token was handed out for two values', async () => {
    const { ledger, card } = told({ token: 'a' });
    ledger.write(ledger.nextCard(), { token: 'a' });
    expect((await check(ledger, new Map([['a', card]]))).broken).toContain('1 tokens were handed out twice');
  });

  it('are broken where a value is plain, and no text of theirs holds one', async () => {
    const { ledger, card } = told({ token: 'a' });
    const { broken } = await check(ledger, new Map([['a', card]]), { ...CLEAN, found: ['some.log'] });
    expect(broken).toEqual(['a value is plain in some.log']);
    expect((await check(ledger, new Map())).broken.join()).not.toContain(SCENE_MARK);
  });
});
