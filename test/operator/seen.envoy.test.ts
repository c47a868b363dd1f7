/**
 * What the operator's command tells of a mesh that runs: edges, requests as they come, reasons.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { LiveEdge } from '../../operator/edges.ts';
import type { Explanation } from '../../operator/explain/explain-edge.ts';
import { isAlive } from '../../operator/run-state.ts';
import type { SeenRequest } from '../../operator/tap/seen-request.ts';
import { isAsShown } from '../support/console-session.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { readerFolder, readPage } from '../support/reader.ts';
import type { Output } from '../support/running-mesh.ts';
import { CARD, trafficOf } from '../support/traffic-of-suite.ts';

const DEADLINE_MS = 120_000;
const ROOT = join(import.meta.dirname, '..', '..');

const suite = meshOfSuite();
const { ask, answerOf, sendOutsider, tokenOf, underLoad } = trafficOf(suite);

describe('docs/seeing.md', () => {
  it(
    'shows what a terminal shows while orders go on',
    async () => {
      const folder = readerFolder();
      const { result: run } = await underLoad(
        async () => await readPage('docs/seeing.md', { folder, stateFile: suite.run.stateFile }),
      );
      rmSync(folder, { recursive: true, force: true });
      expect(run.filter((each) => !isAsShown(each))).toEqual([]);
    },
    2 * DEADLINE_MS,
  );
});

describe('mesh edges', () => {
  let edges: LiveEdge[];
  beforeAll(async () => {
    ({ result: edges } = await underLoad(
      async () => (await answerOf('edges', '--json', '--seconds', '3')) as LiveEdge[],
    ));
  }, DEADLINE_MS);
  const edge = (from: string, to: string): LiveEdge => {
    const found = edges.find((each) => each.from === from && each.to === to);
    if (found === undefined) throw new Error(`expected an edge from ${from} to ${to}`);
    return found;
  };

  it.each([
    ['gateway', 'order'],
    ['gateway', 'paybill'],
    ['order', 'tokenizer'],
    ['paybill', 'tokenizer'],
  ])('tells that %s and %s talk over mutual TLS, and how much', (from, to) => {
    const { mode, counted, listener, requestsPerSecond } = edge(from, to);
    expect({ mode, tls: counted?.tls }).toEqual({ mode: 'mtls', tls: ['TLSv1.3'] });
    expect(requestsPerSecond).toBeGreaterThan(0);
    expect(counted?.handshakes).toBeGreaterThan(0);
    expect(listener?.handshakes).toBeGreaterThan(0);
    expect(listener?.noCertificate).toBe(0);
  });

  it('tells that callers from outside prove nothing', () => {
    const { mode, listener } = edge('outside', 'gateway');
    expect(mode).toBe('one-way');
    expect(listener?.noCertificate).toBe(listener?.handshakes);
  });

  it('tells whom the mesh refuses, and what is not of the mesh', () => {
    const { counted } = edge('outsider', 'tokenizer');
    expect(counted?.denied).toBeGreaterThan(20);
    expect(edge('paybill', 'processor')).toMatchObject({ isExternal: true, mode: 'one-way' });
    expect(edge('paybill', 'processor').listener).toBeUndefined();
  });

  it('prints a table', async () => {
    const { code, stdout } = await ask('edges', '--seconds', '0.5');
    expect(code).toBe(0);
    expect(stdout).toMatch(/order -> tokenizer\s+│ mtls\s+│ 1\.3/);
  });
});

/** A tap that is watching, until it has shown enough and Ctrl-C ends it. */
async function tapping(
  work: () => Promise<void>,
  isEnough: (seen: SeenRequest[]) => boolean,
  ...words: string[]
): Promise<Output & { pid: number }> {
  const child = spawn(process.execPath, [join(ROOT, 'operator', 'cli.ts'), 'tap', '--json', ...words], {
    env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const deadline = Date.now() + DEADLINE_MS / 2;
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds() && child.exitCode === null && Date.now() < deadline) await sleep(50);
  };
  await until(() => output.stderr.includes('watching'));
  await work();
  await until(() => isEnough(requestsIn(output)));
  child.kill('SIGINT');
  const [code] = await closed;
  return { code, pid: child.pid ?? 0, ...output };
}

function requestsIn({ stdout }: Pick<Output, 'stdout'>): SeenRequest[] {
  return stdout
    .slice(0, stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SeenRequest);
}

describe('mesh tap', () => {
  it(
    'shows requests with who, what, how it ended, and the rule and the policies that decided',
    async () => {
      const { result } = await underLoad(
        async () => await ask('tap', 'tokenizer', '--json', '--operation', 'tokens.create', '-n', '3'),
      );
      expect(result.code).toBe(0);
      const seen = requestsIn(result);
      expect(seen).toHaveLength(3);
      for (const each of seen) {
        expect(each).toMatchObject({
          node: 'tokenizer',
          direction: 'inbound',
          peer: 'order',
          operation: { method: 'POST', path: '/v1/tokens' },
          status: 201,
          mesh: { verdict: 'allowed', rule: 'tokens.create' },
          policy: { outcome: 'ok' },
        });
        expect(each.policy?.ids.length).toBeGreaterThan(0);
      }
    },
    DEADLINE_MS,
  );

  it(
    'shows what the mesh denied, and that no rule permits it',
    async () => {
      const output = await tapping(
        sendOutsider,
        (seen) => seen.length > 5,
        'tokenizer',
        '--peer',
        'outsider',
        '--status',
        '403',
      );
      const seen = requestsIn(output);
      expect(seen.length).toBeGreaterThan(5);
      expect(
        seen.every(({ mesh: decided }) => decided?.verdict === 'denied' && decided.rule === 'none'),
      ).toBe(true);
    },
    DEADLINE_MS,
  );

  it(
    'shows nothing that a request carries, and leaves nothing running after Ctrl-C',
    async () => {
      const token = await tokenOf(CARD);
      const canaries = [CARD, token, 'canary-in-a-header', 'canary-in-a-query', 'canary-in-a-path'];
      const output = await tapping(
        async () => {
          const headers = { 'x-request-id': CARD, 'user-agent': 'canary-in-a-header', cookie: token };
          await callAs(
            suite.state,
            'order',
            'GET',
            `/v1/tokens/${token}?it=canary-in-a-query`,
            undefined,
            headers,
          );
          await callAs(suite.state, 'order', 'GET', `/v1/tokens/${CARD}`, undefined, headers);
          await callAs(suite.state, 'order', 'GET', `/canary-in-a-path/${CARD}`, undefined, headers);
          await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token, purpose: CARD }, headers);
        },
        (seen) => seen.some(({ operation }) => operation?.name === 'detokenize'),
        'tokenizer',
        '--all',
      );
      const seen = requestsIn(output);
      expect(seen.filter(({ operation }) => operation?.path === '/v1/tokens/{token}')).toHaveLength(2);
      expect(seen.filter(({ operation, peer }) => operation === undefined && peer === 'order')).toHaveLength(
        1,
      );
      expect(seen.filter(({ operation }) => operation?.name === 'detokenize')).toHaveLength(1);
      expect(canaries.filter((canary) => (output.stdout + output.stderr).includes(canary))).toEqual([]);
      expect(output.code).toBe(130);
      expect(isAlive(output.pid)).toBe(false);
    },
    DEADLINE_MS,
  );

  it(
    'ends where nobody reads it any more',
    async () => {
      const child = spawn(
        process.execPath,
        [join(ROOT, 'operator', 'cli.ts'), 'tap', 'tokenizer', '--from-start'],
        {
          env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const closed = once(child, 'close');
      await once(child.stdout, 'data');
      child.stdout.destroy();
      await underLoad(async () => await closed);
      expect(child.exitCode).toBe(0);
      expect(stderr).toBe('watching tokenizer, until Ctrl-C ...\n');
    },
    DEADLINE_MS,
  );

  it('refuses a node that there is not, and a status that is none', async () => {
    expect(await ask('tap', 'stranger')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected one of'),
    });
    expect((await ask('tap', 'tokenizer', '--status', 'good')).code).toBe(2);
  });
});

describe('mesh explain', () => {
  const layersOf = ({ layers }: Explanation, ok: boolean): string[] =>
    layers.filter((layer) => layer.ok === ok).map(({ layer }) => layer);

  it('says of a caller that may: every layer holds, with its fact', async () => {
    const explanation = (await answerOf('explain', 'order', 'tokenizer', '--json')) as Explanation;
    expect(explanation.ok).toBe(true);
    expect(layersOf(explanation, false)).toEqual([]);
    expect(new Set(layersOf(explanation, true))).toEqual(
      new Set(['route', 'TLS trust', 'SAN', 'revocation', 'seen now', 'RBAC', 'policy']),
    );
    expect(explanation.layers.every(({ fact }) => fact.length > 10)).toBe(true);
    const permitted = explanation.operations.filter((each) => each.permitted).map(({ name }) => name);
    expect(permitted).toEqual(expect.arrayContaining(['tokens.create', 'health']));
    expect(permitted).not.toContain('detokenize');
    const rights = Object.fromEntries(explanation.rights.map((right) => [right.operation, right]));
    expect(rights['tokenize']?.classes).toContain('pan');
    expect(rights['detokenize']).toMatchObject({
      classes: [],
      reason: expect.stringContaining('Envoy does not let order'),
    });
  });

  it('says of one that may not: the connection holds, and the rules do not', async () => {
    const { code, stdout } = await ask('explain', 'outsider:tokenizer', '--json');
    const explanation = JSON.parse(stdout) as Explanation;
    expect(code).toBe(1);
    expect(layersOf(explanation, false)).toEqual(['RBAC', 'policy']);
  });

  it('says which policies show what, and how', async () => {
    const { rights } = (await answerOf('explain', 'paybill -> tokenizer', '--json')) as Explanation;
    const plain = rights.find(({ operation, form }) => operation === 'detokenize' && form === 'plain');
    expect(plain?.classes).toContain('pan');
    expect(plain?.policyIds.length).toBeGreaterThan(0);
  });

  it(
    'says that a certificate is revoked, until it is rotated',
    async () => {
      await ask('revoke', 'paybill', '--role', 'client');
      const revoked = (await answerOf('explain', 'paybill', 'tokenizer', '--json')) as Explanation;
      await ask('rotate', 'paybill', '--role', 'client');
      const rotated = (await answerOf('explain', 'paybill', 'tokenizer', '--json')) as Explanation;
      expect(layersOf(revoked, false)).toEqual(expect.arrayContaining(['revocation', 'seen now']));
      expect(revoked.ok).toBe(false);
      expect(layersOf(rotated, false)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it('says what is not led anywhere, and what is not of the mesh', async () => {
    const gateway = (await answerOf('explain', 'gateway', 'tokenizer', '--json')) as Explanation;
    expect(layersOf(gateway, false)).toContain('route');
    expect((await answerOf('explain', 'paybill', 'processor', '--json')) as Explanation).toMatchObject({
      ok: true,
    });
    const outside = (await answerOf('explain', 'outside', 'order', '--json')) as Explanation;
    expect(layersOf(outside, false)).toEqual(expect.arrayContaining(['route', 'TLS trust', 'SAN']));
    const wayIn = (await answerOf('explain', 'outside', 'gateway', '--json')) as Explanation;
    expect(wayIn.ok).toBe(true);
    expect(layersOf(wayIn, true)).toEqual(['route', 'TLS trust', 'token', 'RBAC']);
  });

  it('refuses what is no edge', async () => {
    expect((await ask('explain', 'order')).code).toBe(2);
    expect((await ask('explain', 'stranger', 'tokenizer')).code).toBe(2);
  });
});
