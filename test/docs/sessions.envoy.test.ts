import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testCard } from '../../sample-apps/test-cards.ts';
import { isAsShown, sessionsIn } from '../support/console-session.ts';
import { ROOT, textOf } from '../support/documents.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { failedIn, readerFolder, readPage } from '../support/reader.ts';

const SESSION_DEADLINE_MS = 180_000;

/** Pages whose sessions need another start, another state of the mesh or files of their own: which suite runs them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/byok.md': 'test/local/byok.envoy.test.ts',
  'docs/checks.md': 'test/operator/verify.envoy.test.ts',
  'docs/deploy.md': 'test/infra/synth.envoy.test.ts',
  'docs/order-history.md': 'test/local/order-history.envoy.test.ts',
  'docs/queue.md': 'test/queue/bulk.envoy.test.ts',
  'docs/regions.md': 'test/local/regions.envoy.test.ts',
  'docs/seeing.md': 'test/operator/seen.envoy.test.ts',
  'docs/tutorial.md': 'test/docs/tutorial.envoy.test.ts',
};

/** In an order in which none takes away what a later one needs. */
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].filter((page) => sessionsIn(textOf(page)).length > 0 && !(page in ELSEWHERE));

describe('a page that needs more than a mesh that runs', () => {
  it.each(Object.entries(ELSEWHERE))('%s is typed by %s', (page, suite) => {
    expect(textOf(suite)).toContain(`'${page}'`);
  });
});

describe('what the pages show of a terminal', () => {
  // So that a new key is in use, and an old one can be destroyed, after seconds.
  const suite = meshOfSuite({ TOKENMESH_BRANCH_KEY_SECONDS: '5' });
  let folder = '';

  beforeAll(() => {
    const { number } = testCard('visa', 16);
    const card = { number, expiry: '12/30', holder: 'A Tester' };
    const items = [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2_599 }];
    folder = readerFolder({
      'card.txt': `${number}\n`,
      'order.json': JSON.stringify({ items, currency: 'EUR', card }),
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PAGES)(
    '%s',
    async (page) => {
      const run = await readPage(page, { folder, stateFile: suite.run.stateFile });
      expect(run.filter((each) => !isAsShown(each))).toEqual([]);
      expect(failedIn(run)).toEqual([]);
    },
    SESSION_DEADLINE_MS,
  );
});
