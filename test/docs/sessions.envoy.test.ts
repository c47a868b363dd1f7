import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testCard } from '../../sample-apps/test-cards.ts';
import { isAsShown, runSession, sessionsIn } from '../support/console-session.ts';
import { ROOT, textOf } from '../support/documents.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';

const SESSION_DEADLINE_MS = 180_000;

/** Pages whose sessions need another start, another machine or a hand: they were printed by a real run, and no test runs them again. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/byok.md': 'a run with key material of its own: byok.envoy.test.ts',
  'docs/checks.md': 'a certificate that is not served: verify.envoy.test.ts',
  'docs/deploy.md': 'an account of AWS',
  'docs/order-history.md': 'a run with MariaDB: order-history.envoy.test.ts',
  'docs/queue.md': 'files of thousands of records: bulk.envoy.test.ts',
  'docs/regions.md': 'a run with two regions: regions.envoy.test.ts',
  'docs/seeing.md': 'traffic that goes on, and Ctrl-C: seen.envoy.test.ts',
};

/** In an order in which none takes away what a later one needs. */
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].filter((page) => sessionsIn(textOf(page)).length > 0 && !(page in ELSEWHERE));

describe('what the pages show of a terminal', () => {
  // So that a new key is in use, and an old one can be destroyed, after seconds.
  const suite = meshOfSuite({ TOKENMESH_BRANCH_KEY_SECONDS: '5' });
  let folder = '';

  /** As the clone that the reader is in, but that what the commands write stays out of it. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenmesh-reader-'));
    for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(folder, name));
    const { number } = testCard('visa', 16);
    writeFileSync(join(folder, 'card.txt'), `${number}\n`);
    const card = { number, expiry: '12/30', holder: 'A Tester' };
    const items = [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2_599 }];
    writeFileSync(join(folder, 'order.json'), JSON.stringify({ items, currency: 'EUR', card }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PAGES)(
    '%s',
    async (page) => {
      const run = await runSession(sessionsIn(textOf(page)), {
        cwd: folder,
        environment: { TOKENMESH_STATE: suite.run.stateFile, NO_COLOR: '1' },
      });
      expect(run.filter((each) => !isAsShown(each))).toEqual([]);
      const failed = run.filter(({ code }, index) => code !== 0 && run[index + 1]?.command !== 'echo $?');
      expect(failed).toEqual([]);
    },
    SESSION_DEADLINE_MS,
  );
});
