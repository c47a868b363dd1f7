import { describe, expect, it } from '@jest/globals';
import { shownAs, TokenNotReplicatedError } from '../../../../sidecar/tokenizer/core/errors.ts';
import { missingToken } from '../../../../sidecar/tokenizer/core/live-record.ts';
import { regionFormat } from '../../../../sidecar/tokenizer/core/formats/region.ts';
import { createReplicationWatch } from '../../../../sidecar/tokenizer/core/replication.ts';
import { seededRandom } from '../../../../local/seeded-random.ts';

const START = Date.parse('2026-03-04T05:06:07.008Z');

function tokenOf(regionCode: string): string {
  const kept = regionFormat.keptOf('');
  return regionFormat.mint(kept, { randomBytes: seededRandom(7), regionCode });
}

function watchAt(secondsLater: number, heard: Readonly<Record<string, number>>) {
  const watch = createReplicationWatch(['DUB', 'SYD'], () => new Date(START + secondsLater * 1000));
  watch.heard(new Map(Object.entries(heard).map(([code, at]) => [code, new Date(START + at * 1000)])));
  return watch;
}

describe('the lag of another region', () => {
  it('is the age of its newest heartbeat, and never below 0 where its clock is ahead', () => {
    expect(watchAt(12.5, { DUB: 2 }).of('DUB')).toEqual({ lagSeconds: 10.5 });
    expect(watchAt(0, { DUB: 2 }).of('DUB')).toEqual({ lagSeconds: 0 });
  });

  it('is not known before anything of it has arrived', () => {
    expect(watchAt(5, { DUB: 2 }).of('SYD')).toEqual({});
  });

  it('is that of no region which is none of the others, whatever heartbeats there are', () => {
    expect(watchAt(5, { DUB: 2, IAD: 4, FRA: 4 }).of('IAD')).toBeUndefined();
    expect(watchAt(5, { DUB: 2, IAD: 4, FRA: 4 }).of('FRA')).toBeUndefined();
  });
});

describe('a token that is not there', () => {
  const parts = { now: () => new Date(START), replicas: watchAt(3.14, { DUB: 0 }) };

  it('has not arrived where it names another region, and the answer says how far behind that is', () => {
    const error = missingToken(parts, tokenOf('DUB'));
    expect(error).toBeInstanceOf(TokenNotReplicatedError);
    expect(shownAs(error)).toMatchObject({ status: 404, region: 'DUB', lagSeconds: 3.1 });
    expect(shownAs(missingToken(parts, tokenOf('SYD')))).toEqual({
      status: 404,
      title: expect.any(String),
      region: 'SYD',
    });
  });

  it.each([
    ['its own region', tokenOf('IAD')],
    ['a region that writes elsewhere', tokenOf('FRA')],
    ['no region', `tkn_${'b'.repeat(40)}`],
    ['a region, with another checksum', tokenOf('DUB').replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
  ])('is unknown where it names %s', (_, token) => {
    expect(missingToken(parts, token).code).toBe('ERR_TOKEN_UNKNOWN');
  });

  it('is unknown where there is one region', () => {
    expect(missingToken({ now: parts.now }, tokenOf('DUB')).code).toBe('ERR_TOKEN_UNKNOWN');
  });

  it('is spoken of without the token', () => {
    const { message, remedy } = missingToken(parts, tokenOf('DUB'));
    expect(message + remedy).not.toContain(tokenOf('DUB').slice(8, 16));
  });
});
