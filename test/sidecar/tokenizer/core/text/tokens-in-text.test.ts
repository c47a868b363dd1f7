import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { FORMAT_NAMES, TOKEN_FORMATS } from '../../../../../sidecar/tokenizer/core/formats/registry.ts';
import { tokensIn } from '../../../../../sidecar/tokenizer/core/text/tokens-in-text.ts';

const CERTAIN = FORMAT_NAMES.filter((name) => TOKEN_FORMATS[name].isCertain);
const mint = (name: (typeof CERTAIN)[number]): string =>
  TOKEN_FORMATS[name].mint({}, { randomBytes, regionCode: 'SYD' });

describe('a token in a text', () => {
  it.each(CERTAIN)('of the format %s is found where it stands', (name) => {
    const token = mint(name);
    expect(tokensIn(`see ${token}, twice: ${token}.`)).toEqual([
      { token, start: 4, end: 4 + token.length },
      { token, start: 13 + token.length, end: 13 + 2 * token.length },
    ]);
  });

  it('is not seen in a UUID of somebody else, nor in one of ours whose checksum fails', () => {
    const token = mint('default');
    const broken = token.slice(0, -1) + (token.endsWith('b') ? 'c' : 'b');
    expect(tokensIn(`${mint('uuid')} ${broken}`)).toEqual([]);
    expect(tokensIn(mint('region').replace('SYD', 'IAD'))).toEqual([]);
  });
});
