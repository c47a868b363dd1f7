/**
 * Every target for some seconds, as `npm run fuzz` does it; and the proof that the fuzzer finds what is there.
 *
 * @module
 */

import { describe, expect, it } from '@jest/globals';
import { command } from '../support/running-mesh.ts';
import { TARGETS } from './targets.ts';

const SECONDS_EACH = 5;

describe('the fuzzer', () => {
  it('finds a fault behind four conditions, led by what it reached', async () => {
    const found = await command(process.execPath, ['test/fuzz/find-planted.ts']);
    expect(found).toMatchObject({ code: 0, stdout: 'tkn_\n' });
  }, 120_000);

  it('breaks no promise of what reads bytes and texts of others', async () => {
    const seconds = String(SECONDS_EACH);
    const { code, stdout } = await command('npm', ['run', '--silent', 'fuzz', '--', '--seconds', seconds]);
    expect([code, stdout.split('\n').filter((line) => line !== '' && !line.endsWith(': held'))]).toEqual([
      0,
      [],
    ]);
    for (const name of Object.keys(TARGETS))
      expect(stdout).toMatch(new RegExp(`^${name} +\\d{2,} inputs`, 'm'));
  }, 180_000);
});
