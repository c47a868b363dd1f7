/**
 * `verify` against a mesh that is really broken: each thing that it looks at is broken once, the check that
 * fails is named with its hint, and what cannot be looked at is unknown rather than passed over.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RenewCertificateCommand } from '@aws-sdk/client-acm';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { freePort } from '../../local/free-port.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients, type AwsClients } from '../../operator/aws-clients.ts';
import { CHECK_GROUPS, type CheckId } from '../../operator/checks/catalogue.ts';
import type { CheckResult } from '../../operator/checks/check.ts';
import { expectedChecks } from '../../operator/checks/expected.ts';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState, type NodeState, type RunState } from '../../operator/run-state.ts';
import { idsNamed } from '../../operator/verify-command.ts';
import { verifyMesh } from '../../operator/verify.ts';
import { withNode } from '../support/meshes.ts';
import { ROOT } from '../support/documents.ts';
import { isAsShown } from '../support/console-session.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { readerFolder, readPage } from '../support/reader.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 90_000;

/** So that a certificate has less than the days that are asked for from the start, and keys soon run out. */
const suite = meshOfSuite({ TOKENMESH_ACM_VALIDITY_DAYS: '20', TOKENMESH_BRANCH_KEY_SECONDS: '20' });

const aws = (): AwsClients => emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);

interface Look {
  readonly only: readonly string[];
  readonly state?: RunState;
  readonly definition?: Mesh;
  readonly clients?: AwsClients;
}

async function notHeld({ only, ...given }: Look): Promise<readonly CheckResult[]> {
  const { state = suite.state, definition = tokenizationMesh, clients = aws() } = given;
  const { checks } = await verifyMesh(definition, state, clients, idsNamed(only));
  return checks.filter(({ ok }) => !ok);
}

const told = (checks: readonly CheckResult[]): string[] =>
  checks.map(({ id, subject, outcome }) => `${outcome} ${id} ${subject}`);

async function until(look: () => Promise<readonly CheckResult[]>, wanted: readonly string[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  let last: readonly CheckResult[] = [];
  while (Date.now() < deadline) {
    last = await look();
    if (JSON.stringify(told(last)) === JSON.stringify(wanted)) return;
    await sleep(200);
  }
  expect(told(last)).toEqual(wanted);
}

/** The state of the run with one node changed: what the operator is told of where its parts are. */
function withState(name: string, change: Partial<NodeState>): RunState {
  const nodes = suite.state.nodes.map((node) => (node.name === name ? { ...node, ...change } : node));
  return { ...suite.state, nodes };
}

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

describe('verify', () => {
  it(
    'holds but for what was set up to be short, and makes every check that is called for',
    async () => {
      const { checks } = await verifyMesh(tokenizationMesh, suite.state, aws());
      const failed = checks.filter(({ ok }) => !ok);
      expect(new Set(failed.map(({ id }) => id))).toEqual(new Set(['certificates.days-left']));
      expect(failed.length).toBe(11);
      expect(failed[0]?.hint).toMatch(/^renew it: npm run mesh -- rotate \w+;/);
      const expected = expectedChecks(tokenizationMesh).map(({ id, subject }) => `${id} ${subject}`);
      expect(checks.map(({ id, subject }) => `${id} ${subject}`).toSorted()).toEqual(expected.toSorted());
      expect(new Set(checks.map(({ group }) => group))).toEqual(new Set(CHECK_GROUPS));
    },
    DEADLINE_MS,
  );

  it(
    'as a command ends with 1 where a check fails, with 0 for those alone that hold, with 2 for no check',
    async () => {
      expect((await mesh(suite.run, ['verify'])).code).toBe(1);
      const held = await mesh(suite.run, ['verify', '--only', 'clock,vault', '--json']);
      expect(held.code).toBe(0);
      const { checks } = JSON.parse(held.stdout) as { checks: CheckResult[] };
      expect(new Set(checks.map(({ group }) => group))).toEqual(new Set(['vault', 'clock']));
      const junit = await mesh(suite.run, ['verify', '--junit', '--only', 'certificates']);
      expect(junit.code).toBe(1);
      expect(junit.stdout).toContain('<testsuites tests="32" failures="11" errors="0">');
      const wrong = await mesh(suite.run, ['verify', '--only', 'mtl']);
      expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('docs/checks.md') });
      expect((await mesh(suite.run, ['verify', '--json', '--junit'])).code).toBe(2);
    },
    DEADLINE_MS,
  );
});

describe('verify --watch', () => {
  it(
    'looks again and again, tells all of it once and a line after that, until it is ended',
    async () => {
      const child = spawn('npm', ['run', '-s', 'mesh', '--', 'verify', '--only', 'clock', '--watch', '1'], {
        cwd: ROOT,
        env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile },
        detached: true,
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      for (let look = 0; look < 300 && said.split('\n').length < 4; look += 1) await sleep(100);
      const ended = once(child, 'close');
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      await ended;
      const [first, ...later] = said.trim().split('\n');
      expect(first).toBe('6 of 6 checks held');
      expect(later.length).toBeGreaterThanOrEqual(2);
      for (const line of later) expect(line).toMatch(/^20\d\d-[-\dT:.]+Z {2}6 of 6 checks held$/);
    },
    DEADLINE_MS,
  );
});

describe('verify tells', () => {
  it(
    'a certificate that ACM renewed and nobody exported',
    async () => {
      const CertificateArn = nodeState(suite.state, 'order').certificateArns.server;
      await aws().acm.send(new RenewCertificateCommand({ CertificateArn }));
      await until(
        async () => await notHeld({ only: ['certificates.served'] }),
        ['failed certificates.served order server'],
      );
      const folder = readerFolder();
      const run = await readPage('docs/checks.md', { folder, stateFile: suite.run.stateFile });
      rmSync(folder, { recursive: true, force: true });
      expect(run.filter((each) => !isAsShown(each))).toEqual([]);
      expect((await mesh(suite.run, ['rotate', 'order', '--role', 'server'])).code).toBe(0);
      expect(await notHeld({ only: ['certificates.served'] })).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'a secret that the sidecar cannot use',
    async () => {
      const SecretId = 'tokenmesh/paybill/client/certificate';
      await aws().secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString: 'not json' }));
      const look = async () => await notHeld({ only: ['certificates.taken'] });
      await until(look, ['failed certificates.taken paybill client']);
      expect((await look())[0]?.hint).toContain('npm run mesh -- rotate paybill');
      expect((await mesh(suite.run, ['rotate', 'paybill', '--role', 'client'])).code).toBe(0);
      await until(look, []);
    },
    DEADLINE_MS,
  );

  it(
    'a node that was revoked, and a deny list that cannot be read',
    async () => {
      expect((await mesh(suite.run, ['revoke', 'outsider', '--role', 'client'])).code).toBe(0);
      await until(
        async () => await notHeld({ only: ['revocation.own'] }),
        ['failed revocation.own outsider'],
      );
      expect((await mesh(suite.run, ['rotate', 'outsider', '--role', 'client'])).code).toBe(0);
      await until(async () => await notHeld({ only: ['revocation.own'] }), []);
      const SecretId = 'tokenmesh/revocation/deny-list';
      const { SecretString } = await aws().secretsManager.send(new GetSecretValueCommand({ SecretId }));
      await aws().secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString: '[' }));
      const unread = await notHeld({ only: ['revocation.deny-list'] });
      expect(told(unread)).toEqual(
        suite.state.nodes.map(({ name }) => `unknown revocation.deny-list ${name}`),
      );
      await aws().secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString }));
      await until(async () => await notHeld({ only: ['revocation.deny-list'] }), []);
    },
    DEADLINE_MS,
  );

  it(
    'a listener that takes what it must refuse',
    async () => {
      const { chain, key } = identityFiles(suite.state, 'order', 'client');
      const probe = (file: string): string => join(suite.state.directory, 'probes', 'other-ca', file);
      const kept = ['chain.pem', 'key.pem'].map((file) => [probe(file), readFileSync(probe(file))] as const);
      // What is tried is good, so that the listener answers: as it would if it trusted the other CA.
      copyFileSync(chain, probe('chain.pem'));
      copyFileSync(key, probe('key.pem'));
      const failed = await notHeld({ only: ['refusals.other-ca'] });
      expect(told(failed)).toEqual(
        ['order', 'paybill', 'outsider', 'tokenizer'].map((name) => `failed refusals.other-ca ${name}`),
      );
      expect(failed[0]).toMatchObject({
        found: 'answered 200',
        hint: expect.stringContaining('tls-context.ts'),
      });
      for (const [file, bytes] of kept) writeFileSync(file, bytes);
      expect(await notHeld({ only: ['refusals.other-ca'] })).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'a caller that is seen as another',
    async () => {
      const { egressSocket } = nodeState(suite.state, 'paybill');
      const failed = await notHeld({ only: ['mtls.identity'], state: withState('order', { egressSocket }) });
      expect(told(failed)).toEqual(['failed mtls.identity order -> tokenizer']);
      expect(failed[0]?.found).toContain('paybill.tokenmesh.internal');
      expect(failed[0]?.hint).toBe('rotate the certificate: npm run mesh -- rotate order');
    },
    DEADLINE_MS,
  );

  it(
    'a definition that grants what the mesh does not, and one that does not grant what the mesh does',
    async () => {
      const callersOf = (callers: readonly string[]): Mesh =>
        withNode('tokenizer', (node) => ({
          ...node,
          listener: {
            ...node.listener,
            operations: node.listener.operations.map((each) =>
              each.name === 'tokens.create' ? { ...each, callers } : each,
            ),
          },
        }));
      const more = await notHeld({ only: ['policy'], definition: callersOf(['order', 'outsider']) });
      expect(told(more)).toEqual(['failed policy.permitted outsider -> tokenizer tokens.create']);
      expect(more[0]?.found).toBe('403 by the mesh');
      const less = await notHeld({ only: ['policy'], definition: callersOf([]) });
      expect(told(less)).toEqual(['failed policy.denied order -> tokenizer tokens.create']);
      expect(less[0]?.hint).toMatch(/^stop the mesh;/);
    },
    DEADLINE_MS,
  );

  it(
    'a gateway that is not the one which asks for tokens',
    async () => {
      const { listener, identity } = nodeState(suite.state, 'order');
      const state = withState('gateway', { listener, identity });
      expect(told(await notHeld({ only: ['policy.token'], state }))).toEqual([
        'unknown policy.token gateway',
      ]);
    },
    DEADLINE_MS,
  );

  it(
    'a KMS key that is disabled, then keys that are not fetched, then a vault that is not ready',
    async () => {
      const { kms } = aws();
      const KeyId = suite.state.vaultKeyArn;
      await kms.send(new DisableKeyCommand({ KeyId }));
      try {
        const disabled = await notHeld({ only: ['keys.enabled'] });
        expect(told(disabled)).toEqual(['failed keys.enabled vault']);
        expect(disabled[0]?.hint).toMatch(/^enable it again/);
        await until(async () => await notHeld({ only: ['keys.fresh'] }), ['failed keys.fresh tokenizer']);
        await until(async () => await notHeld({ only: ['vault.ready'] }), ['failed vault.ready tokenizer']);
      } finally {
        await kms.send(new EnableKeyCommand({ KeyId }));
      }
      await until(async () => await notHeld({ only: ['vault', 'keys'] }), []);
    },
    DEADLINE_MS,
  );

  it(
    'a tenant without keys',
    async () => {
      const definition = withNode('order', (node) => ({
        ...node,
        vaultAccess: { tenants: ['shop', 'ghost'], grants: [] },
      }));
      const failed = await notHeld({ only: ['keys.tenant'], definition });
      expect(told(failed)).toEqual(['failed keys.tenant ghost']);
      expect(failed[0]).toMatchObject({
        found: 'no branch key, no fingerprint key',
        hint: expect.stringContaining('npm run mesh -- tenants create ghost'),
      });
    },
    DEADLINE_MS,
  );

  it(
    "clocks that are wrong: a node's, and AWS's",
    async () => {
      const port = await freePort();
      const socket = join(suite.state.directory, 'an-hour-ahead.sock');
      const ahead = createServer((_message, response) => {
        void sidecarStatus(nodeState(suite.state, 'order').agentSocket).then((status) =>
          response.end(JSON.stringify({ ...status, now: new Date(Date.now() + 3_600_000).toISOString() })),
        );
      }).listen(socket);
      const behind = createServer((_message, response) => {
        response.setHeader('date', new Date(Date.now() - 300_000).toUTCString());
        response.end();
      }).listen(port, '127.0.0.1');
      servers.push(ahead, behind);
      const state = {
        ...withState('order', { agentSocket: socket }),
        aws: { ...suite.state.aws, endpointUrl: `http://127.0.0.1:${port}` },
      };
      const failed = await notHeld({ only: ['clock'], state });
      expect(told(failed)).toEqual(['failed clock.agrees order', 'failed clock.agrees aws']);
      expect(failed.map(({ found }) => found)).toEqual([
        expect.stringMatching(/^3\d{3}\.\d s ahead$/),
        expect.stringMatching(/^30\d\.\d s behind$/),
      ]);
    },
    DEADLINE_MS,
  );
});

describe('verify passes on no silence', () => {
  it.each<[string, () => Look, readonly CheckId[]]>([
    [
      'AWS does not answer',
      () => ({
        only: ['certificates', 'revocation', 'keys', 'clock'],
        clients: emulatorClients('http://127.0.0.1:9', 'us-east-1'),
        state: { ...suite.state, aws: { ...suite.state.aws, endpointUrl: 'http://127.0.0.1:9' } },
      }),
      [
        'certificates.taken',
        'certificates.served',
        'certificates.days-left',
        'certificates.published',
        'revocation.own',
        'revocation.deny-list',
        'revocation.crl',
        'keys.enabled',
        'keys.tenant',
        'clock.agrees',
      ],
    ],
    [
      'no admin interface answers',
      () => ({
        only: ['mtls', 'refusals'],
        state: {
          ...suite.state,
          nodes: suite.state.nodes.map((node) => ({ ...node, adminUrl: 'http://127.0.0.1:9' })),
        },
      }),
      [
        'mtls.counted',
        'mtls.version',
        'mtls.one-way',
        'mtls.mutual',
        'mtls.identity',
        'refusals.plaintext',
        'refusals.tls-1.2',
        'refusals.no-certificate',
        'refusals.other-ca',
        'refusals.expired',
        'refusals.other-name',
      ],
    ],
    [
      'no sidecar answers',
      () => ({
        only: ['revocation', 'clock'],
        state: {
          ...suite.state,
          nodes: suite.state.nodes.map((node) => ({ ...node, agentSocket: '/nowhere/agent.sock' })),
        },
      }),
      ['revocation.own', 'revocation.deny-list', 'revocation.crl', 'clock.agrees'],
    ],
    [
      'the way to the tokenizer is gone',
      () => ({
        only: ['vault', 'keys.fresh'],
        state: withState('order', { egressSocket: '/nowhere/e.sock' }),
      }),
      ['vault.ready', 'keys.fresh'],
    ],
  ])(
    'where %s',
    async (_what, look, ids) => {
      const unseen = await notHeld(look());
      expect(new Set(unseen.map(({ id }) => id))).toEqual(new Set(ids));
      expect(new Set(unseen.map(({ outcome }) => outcome))).toEqual(new Set(['unknown']));
      for (const { found, hint } of unseen) {
        expect(found).toMatch(/^could not be looked at: /);
        expect(hint).not.toBe('');
      }
    },
    DEADLINE_MS,
  );

  // The last of all: what is drained stays so.
  it(
    'where a listener is gone, and its Envoy answers still',
    async () => {
      const { adminUrl } = nodeState(suite.state, 'paybill');
      const { body } = await request(`${adminUrl}/drain_listeners`, { method: 'POST' });
      await body.dump();
      const look = async () => await notHeld({ only: ['mtls.counted'] });
      await until(look, [
        'failed mtls.counted gateway -> paybill',
        'failed mtls.counted outsider -> paybill',
      ]);
      expect((await look())[0]?.hint).toBe('see whether the listener is up: npm run mesh -- status');
    },
    DEADLINE_MS,
  );
});
