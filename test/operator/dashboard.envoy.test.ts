/**
 * The dashboard in a real browser, on a mesh that runs, with orders going on.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { request } from 'undici';
import type { ShownChecks, Snapshot } from '../../operator/dashboard/snapshot.ts';
import type { MeshStatus } from '../../operator/status.ts';
import type { Verification } from '../../operator/verify.ts';
import { TEST_CARDS } from '../../sample-apps/test-cards.ts';
import { chromiumPath } from '../support/chromium.ts';
import { readEvents } from '../support/dashboard-events.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { CARD, trafficOf } from '../support/traffic-of-suite.ts';

const DEADLINE_MS = 120_000;
const ROOT = join(import.meta.dirname, '..', '..');
/** Kept, so that somebody can look at them. */
const SCREENSHOTS = join(ROOT, '.tokenmesh', 'screenshots');

const suite = meshOfSuite();
const { ask, answerOf, sendOutsider, tokenOf, underLoad } = trafficOf(suite);

/** One that `mesh dashboard` serves. */
async function ownDashboard(
  ...options: string[]
): Promise<{ url: string; interrupt: () => Promise<unknown[]> }> {
  const child = spawn(process.execPath, [join(ROOT, 'operator', 'cli.ts'), 'dashboard', ...options], {
    env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: /http:\/\/127\.0\.0\.1:\d+/.exec(said.toString())?.[0] ?? '',
    async interrupt() {
      child.kill('SIGINT');
      return await closed;
    },
  };
}

describe("the dashboard's address", () => {
  const url = (): string => suite.state.dashboardUrl;
  const answer = async (path: string, options: { method?: 'POST' | 'PUT' | 'HEAD'; host?: string } = {}) => {
    const { statusCode, headers, body } = await request(`${url()}${path}`, {
      method: options.method ?? 'GET',
      headers: options.host === undefined ? {} : { host: options.host },
    });
    return { statusCode, headers, text: await body.text() };
  };

  it('is told by status, is on the loopback interface alone, and answers', async () => {
    const status = (await answerOf('status', '--json')) as MeshStatus;
    expect(status.dashboard).toEqual({ url: url() });
    expect(url()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await answer('/')).statusCode).toBe(200);
    expect((await answer('/', { method: 'HEAD' })).text).toBe('');
  });

  it('refuses another host, as a name that was rebound has, and takes localhost', async () => {
    const port = new URL(url()).port;
    for (const host of ['tokenmesh.example', `tokenmesh.example:${port}`, '127.0.0.1', `127.0.0.2:${port}`]) {
      expect(await answer('/events', { host })).toMatchObject({
        statusCode: 421,
        text: expect.stringContaining('ERR_DASHBOARD_HOST'),
      });
    }
    expect((await answer('/', { host: `localhost:${port}` })).statusCode).toBe(200);
  });

  it('refuses every method but reading, and every path that is not of the page', async () => {
    for (const method of ['POST', 'PUT'] as const) {
      expect(await answer('/', { method })).toMatchObject({
        statusCode: 405,
        headers: { allow: 'GET, HEAD' },
      });
    }
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/vendor/',
      '/snapshot.ts',
      '/tsconfig.json',
      '//',
    ]) {
      expect((await answer(path)).statusCode).toBe(404);
    }
  });

  it('permits no script, style or frame of elsewhere, and none within the page', async () => {
    const { headers, text } = await answer('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/);
  });

  it(
    'is served by a command of its own too, which ends with Ctrl-C and leaves nothing',
    async () => {
      const own = await ownDashboard();
      expect(own.url).not.toBe(url());
      const { snapshot } = await readEvents(own.url, 'snapshot');
      expect((snapshot as Snapshot).nodes.length).toBeGreaterThan(5);
      expect(await own.interrupt()).toEqual([130, null]);
      await expect(request(own.url)).rejects.toThrow('ECONNREFUSED');
    },
    DEADLINE_MS,
  );
});

/** What is run in the browser: as text, since nothing of it is to be compiled here. */
const TELL_VIOLATIONS = `document.addEventListener('securitypolicyviolation',
  (event) => tellViolation(event.effectiveDirective + ' ' + event.blockedURI))`;
const IN_PAGE = {
  sixLiveEdges: `document.querySelectorAll('g.edge.live').length >= 6`,
  everyFigureIsOverZero: `[...document.querySelectorAll('#load figcaption strong')]
    .every(({ textContent }) => Number.parseFloat(textContent) > 0)`,
  refusals: `Number(document.querySelector('#refusals .total strong').textContent.replaceAll(',', ''))`,
  focusedText: `document.activeElement.textContent`,
  focusedName: `document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName`,
  isAsWideAsTheScreen: `document.documentElement.scrollWidth <= innerWidth`,
  axeFindings: `axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
};

describe('the dashboard in a browser', () => {
  let browser: Browser;
  let page: Page;
  const violations: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: await chromiumPath(), args: ['--no-sandbox'] });
    page = await openPage({});
    mkdirSync(SCREENSHOTS, { recursive: true });
  }, 400_000);

  afterAll(async () => {
    await browser.close();
  });

  async function openPage(
    options: Parameters<Browser['newPage']>[0],
    url: string = suite.state.dashboardUrl,
  ): Promise<Page> {
    const opened = await browser.newPage({ viewport: { width: 1360, height: 900 }, ...options });
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) violations.push(message.text());
    });
    opened.on('pageerror', (error) => violations.push(error.message));
    await opened.exposeFunction('tellViolation', (text: string) => violations.push(text));
    await opened.addInitScript(TELL_VIOLATIONS);
    await opened.goto(url);
    await opened.locator('#checks .group').first().waitFor({ timeout: 60_000 });
    return opened;
  }

  /** Asked again and again from here: the page's own policy lets no text become a script in it. */
  async function untilInPage(expression: string): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS / 2;
    while ((await page.evaluate(expression)) !== true) {
      if (Date.now() > deadline) throw new Error(`expected of the page: ${expression}`);
      await sleep(100);
    }
  }

  const panel = (name: string) => page.locator(`#${name}`);
  const told = async (): Promise<Snapshot> =>
    (await readEvents(suite.state.dashboardUrl, 'snapshot'))['snapshot'] as Snapshot;

  it(
    'draws who talks to whom, with what goes over each edge now',
    async () => {
      await underLoad(async () => {
        await panel('topology').locator('g.edge.live', { hasText: '/s' }).first().waitFor();
        await untilInPage(IN_PAGE.sixLiveEdges);
      });
      for (const name of ['outside', 'gateway', 'order', 'paybill', 'outsider', 'tokenizer', 'processor']) {
        expect(await panel('topology').locator('g.node', { hasText: name }).count()).toBeGreaterThan(0);
      }
      const row = panel('topology').locator('tr', { hasText: 'order → tokenizer' });
      expect(await row.innerText()).toMatch(/mTLS 1\.3[\s\S]*0 without a certificate/);
      expect(await panel('topology').locator('tbody tr').count()).toBe(9);
    },
    DEADLINE_MS,
  );

  it(
    'charts the tokens a second and the latency that the tokenizer counts',
    async () => {
      const captions = panel('load').locator('figcaption');
      await underLoad(async () => {
        await untilInPage(IN_PAGE.everyFigureIsOverZero);
      });
      expect(await captions.allInnerTexts()).toEqual([
        expect.stringMatching(/tokenized [\d.]+\s*detokenized [\d.]+/),
        expect.stringMatching(/median [\d.]+ ms\s*99th percentile [\d.]+ ms/),
      ]);
      expect(await panel('load').locator('canvas').count()).toBe(2);
    },
    DEADLINE_MS,
  );

  it(
    'shows a rotation as it happens, with the serial that is served from then on',
    async () => {
      const row = panel('certificates').locator('tbody tr', { hasText: 'order server' });
      const before = await row.locator('code').innerText();
      const rotated = await ask('rotate', 'order', '--role', 'server');
      const serial = /-> ([0-9a-f]{8})/.exec(rotated.stdout)?.[1] ?? 'none';
      expect(serial).not.toBe(before);
      await row.locator('code', { hasText: serial }).waitFor();
      await row.getByText('yes').waitFor();
      await panel('certificates')
        .locator('.rotations li', { hasText: serial })
        .filter({ hasText: 'after the swap' })
        .waitFor();
      expect(await row.locator('circle.swap').count()).toBeGreaterThan(0);
      expect(await page.getByRole('status').innerText()).toContain('order rotated its server certificate');
      expect(await panel('certificates').locator('tbody tr').count()).toBe(10);
      expect(await row.innerText()).toMatch(/39[345] days/);
    },
    DEADLINE_MS,
  );

  it(
    'counts and lists who was refused what, and why',
    async () => {
      const before = Number(await page.evaluate(IN_PAGE.refusals));
      await sendOutsider();
      const isMore = `${IN_PAGE.refusals} > ${before + 20}`;
      await untilInPage(isMore);
      const recent = panel('refusals').locator('.scroll').last();
      expect(await recent.innerText()).toMatch(/outsider → \w+[\s\S]*403[\s\S]*no rule permits it/);
    },
    DEADLINE_MS,
  );

  it(
    'shows the last records of the audit, with the policies that decided',
    async () => {
      await tokenOf(CARD);
      const row = panel('audit').locator('tbody tr', { hasText: /order\s*tokenize\s*ok\s*pan/ });
      await row.first().waitFor();
      const { audit } = await told();
      expect(audit.some(({ policies }) => policies.length > 0)).toBe(true);
    },
    DEADLINE_MS,
  );

  it(
    'shows the very checks of mesh verify, each with what was found',
    async () => {
      const { checks } = (await answerOf('verify', '--json')) as Verification;
      const shown = (await readEvents(suite.state.dashboardUrl, 'checks'))['checks'] as ShownChecks;
      const idsOf = (list: typeof checks): string[] =>
        list.map(({ id, subject }) => `${id} ${subject}`).toSorted();
      expect(idsOf(shown.checks)).toEqual(idsOf(checks));
      expect(await panel('checks').locator('.total').innerText()).toContain(`of ${checks.length}`);
      const group = panel('checks').locator('details', {
        has: page.locator('.group-name', { hasText: 'certificates' }),
      });
      await group.locator('summary').focus();
      await page.keyboard.press('Enter');
      await group.getByText('the serial served is the serial issued').first().waitFor();
      await page.keyboard.press('Enter');
    },
    DEADLINE_MS,
  );

  it(
    'shows a check that fails, with what to do, until it holds again',
    async () => {
      const own = await ownDashboard('--check-every', '1');
      const shown = await openPage({}, own.url);
      await ask('revoke', 'outsider', '--role', 'client');
      const failed = shown.locator('#checks .failed li', { hasText: 'revocation.own outsider' });
      await failed.waitFor({ timeout: DEADLINE_MS / 2 });
      expect(await failed.innerText()).toContain('npm run mesh -- rotate outsider');
      expect(await shown.locator('.tile.bad', { hasText: 'Checks that hold' }).count()).toBe(1);
      await ask('rotate', 'outsider', '--role', 'client');
      await shown.locator('#checks .failed').waitFor({ state: 'detached', timeout: DEADLINE_MS / 2 });
      expect(await shown.getByRole('status').innerText()).toContain('every check holds again');
      await shown.close();
      await own.interrupt();
    },
    DEADLINE_MS,
  );

  it(
    'is told no card number and no token, whatever callers send',
    async () => {
      const token = await tokenOf(CARD);
      const stream = readEvents(suite.state.dashboardUrl, 'snapshot', 3);
      await underLoad(async () => {
        await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token, purpose: CARD });
        await callAs(suite.state, 'order', 'GET', `/v1/tokens/${token}`, undefined, { 'x-request-id': CARD });
        await callAs(suite.state, 'order', 'GET', `/${CARD}/${token}`);
        await stream;
      });
      const text = (await stream).text + (await page.content());
      expect(text.length).toBeGreaterThan(20_000);
      const numbers = TEST_CARDS.map(({ number }) => number);
      expect([...numbers, token, token.slice(4, 24)].filter((canary) => text.includes(canary))).toEqual([]);
    },
    DEADLINE_MS,
  );

  it('can be reached and read by keyboard: the first stop skips to the content', async () => {
    await page.goto(suite.state.dashboardUrl);
    await panel('checks').locator('.group').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(IN_PAGE.focusedText)).toBe('Skip to the content');
    const stops = new Set<string>();
    for (let press = 0; press < 24; press += 1) {
      await page.keyboard.press('Tab');
      stops.add(String(await page.evaluate(IN_PAGE.focusedName)));
    }
    expect([...stops]).toEqual(
      expect.arrayContaining(['Edges of the mesh', 'Certificates in use', 'SUMMARY']),
    );
  });

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ] as const)(
    'has nothing that axe finds, and does not scroll sideways: %s',
    async (name, options) => {
      const shown = await openPage(options);
      await underLoad(async () => await shown.locator('g.edge.live').first().waitFor());
      await shown.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      expect(await shown.evaluate(IN_PAGE.axeFindings)).toEqual([]);
      expect(await shown.evaluate(IN_PAGE.isAsWideAsTheScreen)).toBe(true);
      await shown.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
      await shown.close();
    },
    DEADLINE_MS,
  );

  it('has violated its content security policy nowhere, and written no error', () => {
    expect(violations).toEqual([]);
  });
});
