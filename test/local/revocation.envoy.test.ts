/**
 * A node is revoked while the mesh runs: out at once by the deny list, out for good by the CRL, back with a
 * new certificate; nobody else notices. And the lists that a bucket may hold by mistake or by malice.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { sidecarStatus, type SidecarStatus } from '../../operator/facts/agent.ts';
import { listenerCounters } from '../../operator/facts/envoy-admin.ts';
import { credentialsOf, probeListener } from '../../operator/facts/listener.ts';
import type { Credentials } from '../../operator/facts/probe.ts';
import { callThrough } from '../../operator/facts/through-egress.ts';
import { nodeState, type NodeState } from '../../operator/run-state.ts';
import type { Verification } from '../../operator/verify.ts';
import { authoritiesSecretName, denyListSecretName, type DenyList } from '../../pki/revocation.ts';
import { announceCrls } from '../../renewal/adapters/deny-list.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const suite = meshOfSuite();
const MUTUAL = ['order', 'paybill', 'outsider', 'tokenizer'];
const DEADLINE_MS = 240_000;

const mutualNodes = (): NodeState[] => MUTUAL.map((name) => nodeState(suite.state, name));
const secrets = () => emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region).secretsManager;

async function denyList(): Promise<DenyList> {
  const SecretId = denyListSecretName(tokenizationMesh.name);
  const { SecretString = '' } = await secrets().send(new GetSecretValueCommand({ SecretId }));
  return JSON.parse(SecretString) as DenyList;
}

async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer) || Date.now() > end) return answer;
    await sleep(50);
  }
}

/** Sends requests until it is told to stop, one after the other, and gives what came of each. */
function keepAsking(ask: () => Promise<string>): { stop(): Promise<string[]> } {
  const stopping = new AbortController();
  const outcomes: string[] = [];
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      outcomes.push(await ask().catch((error: unknown) => `no answer: ${String(error)}`));
      await sleep(5);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await asking;
      return outcomes;
    },
  };
}

async function asNode(node: string): Promise<string> {
  const { status, document } = await callAs(suite.state, node, 'GET', '/healthz');
  return typeof document['code'] === 'string' ? `${status} ${document['code']}` : String(status);
}

/** On a new connection. */
async function paybillThroughItsEnvoy(): Promise<string> {
  const { egressSocket } = nodeState(suite.state, 'paybill');
  const answer = await callThrough(egressSocket, 'http://tokenizer/healthz', 'GET');
  return String(answer?.status);
}

async function verify(): Promise<Verification> {
  return JSON.parse((await mesh(suite.run, ['verify', '--json'])).stdout) as Verification;
}

/** By a handshake that fails, counted by the listener. */
async function refusedInHandshake(node: NodeState, credentials: Credentials): Promise<boolean> {
  const before = await listenerCounters(node.adminUrl);
  const outcome = await probeListener(suite.state, node, credentials);
  const after = await until(
    async () => await listenerCounters(node.adminUrl),
    ({ failVerifyError }) => failVerifyError > before.failVerifyError,
  );
  return outcome.outcome === 'refused' && after.failVerifyError > before.failVerifyError;
}

let revoked: Credentials;

describe('revoking a node', () => {
  it(
    'puts it out at every listener, on open connections too, while others do not notice',
    async () => {
      revoked = await credentialsOf(suite.state, 'order');
      expect(await asNode('order')).toBe('200');
      const others = [keepAsking(async () => await asNode('paybill')), keepAsking(paybillThroughItsEnvoy)];
      const out = keepAsking(async () => await asNode('order'));
      const command = await mesh(suite.run, ['revoke', 'order', '--role', 'client']);
      expect(command.stderr).toBe('');
      expect(command.stdout).toMatch(
        /^order client: \w+\.\.\. on the deny list after \d+ ms, revoked at its CA after \d+ ms; refused at every listener after \d+ ms, in the handshake after \d+ ms\n/,
      );
      const outcomes = await out.stop();
      const first = outcomes.findIndex((each) => each !== '200');
      expect(outcomes[first]).toBe('403 ERR_PEER_REVOKED');
      expect(outcomes.slice(first)).not.toContain('200');
      for (const other of others) {
        const asked = await other.stop();
        expect(asked.length).toBeGreaterThan(10);
        expect([...new Set(asked)]).toEqual(['200']);
      }
      for (const node of mutualNodes()) expect(await refusedInHandshake(node, revoked)).toBe(true);
    },
    DEADLINE_MS,
  );

  it(
    'shows in verify as the one thing to do',
    async () => {
      const { ok, checks } = await verify();
      expect(ok).toBe(false);
      const failed = checks.filter((each) => !each.ok && each.group === 'revocation');
      expect(failed).toEqual([
        expect.objectContaining({ id: 'revocation.own', subject: 'order', found: 'revoked: client' }),
      ]);
      expect(failed[0]?.hint).toContain('npm run mesh -- rotate order');
    },
    DEADLINE_MS,
  );

  it(
    'may be repeated',
    async () => {
      const before = await denyList();
      const again = await mesh(suite.run, ['revoke', 'order', '--role', 'client']);
      expect(again).toMatchObject({ code: 0, stderr: '' });
      expect((await denyList()).denied.map(({ serial }) => serial)).toEqual(
        before.denied.map(({ serial }) => serial),
      );
    },
    DEADLINE_MS,
  );

  it(
    'ends with a rotation, which takes nothing off the deny list',
    async () => {
      const before = await denyList();
      const command = await mesh(suite.run, ['rotate', 'order']);
      expect(command.code).toBe(0);
      const { egressSocket } = nodeState(suite.state, 'order');
      // Its Envoy may hold a connection of before: the request is sent again over a new one.
      expect(await callThrough(egressSocket, 'http://tokenizer/healthz', 'GET')).toEqual({ status: 200 });
      expect((await denyList()).denied).toEqual(before.denied);
      for (const node of mutualNodes()) expect(await refusedInHandshake(node, revoked)).toBe(true);
      expect(await verify()).toMatchObject({ ok: true });
    },
    DEADLINE_MS,
  );

  it(
    'holds by the CRL alone, with the deny list emptied',
    async () => {
      const SecretId = denyListSecretName(tokenizationMesh.name);
      const emptied = await secrets().send(
        new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ denied: [] }) }),
      );
      for (const node of mutualNodes()) {
        const status = await until(
          async () => await sidecarStatus(node.agentSocket),
          (each) => each?.revocation.denyListVersion === emptied.VersionId,
        );
        expect(status?.revocation.denyListVersion).toBe(emptied.VersionId);
        expect(await refusedInHandshake(node, revoked)).toBe(true);
      }
    },
    DEADLINE_MS,
  );

  it(
    "refuses a server's certificate in the handshake of every caller, and has it back",
    async () => {
      const command = await mesh(suite.run, ['revoke', 'outsider', '--role', 'server']);
      expect(command).toMatchObject({ code: 0, stderr: '' });
      expect(command.stdout).toContain('refused in the handshake by every caller after');
      const { egressSocket } = nodeState(suite.state, 'outsider');
      expect(await callThrough(egressSocket, 'http://peer-check.tokenmesh/.tokenmesh/peer', 'GET')).toEqual({
        status: 503,
        code: 'ERR_BACKEND_UNAVAILABLE',
      });
      expect((await mesh(suite.run, ['rotate', 'outsider', '--role', 'server'])).code).toBe(0);
      expect(await callThrough(egressSocket, 'http://peer-check.tokenmesh/.tokenmesh/peer', 'GET')).toEqual({
        status: 204,
      });
    },
    DEADLINE_MS,
  );
});

/** As an emulator wants it: it asks who, and takes their word. */
const AS_OWNER = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=emulated/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0',
};

/** The list of the CA that issues to clients, in its bucket. */
class ClientsCrl {
  readonly url: string;

  constructor(bucket: string, key: string) {
    this.url = `${suite.state.aws.endpointUrl}/${bucket}/${key}`;
  }

  static async find(): Promise<ClientsCrl> {
    const SecretId = authoritiesSecretName(tokenizationMesh.name);
    const { SecretString = '' } = await secrets().send(new GetSecretValueCommand({ SecretId }));
    const { clients } = JSON.parse(SecretString) as { clients: { crl: { bucket: string; key: string } }[] };
    return new ClientsCrl(clients[1]?.crl.bucket ?? '', clients[1]?.crl.key ?? '');
  }

  async get(): Promise<Buffer> {
    const { body, statusCode } = await request(this.url, { headers: AS_OWNER });
    if (statusCode !== 200) throw new Error(`S3 answered ${statusCode}`);
    return Buffer.from(await body.bytes());
  }

  async put(body: Buffer): Promise<void> {
    const { statusCode, body: answer } = await request(this.url, { method: 'PUT', body, headers: AS_OWNER });
    await answer.dump();
    if (statusCode !== 200) throw new Error(`S3 answered ${statusCode}`);
    await announceCrls(secrets(), tokenizationMesh.name, new Date());
  }
}

function crlCodes(status: SidecarStatus | undefined): string[] {
  return (status?.revocation.crls ?? []).flatMap(({ problems }) => problems.map(({ code }) => code));
}

async function metricsOf({ agentSocket }: NodeState): Promise<string> {
  const dispatcher = new Agent({ connect: { socketPath: agentSocket } });
  const { body } = await request('http://agent/metrics', { dispatcher });
  const text = await body.text();
  await dispatcher.close();
  return text;
}

describe('a CRL that is not good', () => {
  it.each<[what: string, code: string, make: (good: Buffer) => Promise<Buffer>]>([
    ['garbage', 'ERR_CRL_UNREADABLE', async () => Buffer.from('not a list')],
    ['an empty file', 'ERR_CRL_EMPTY', async () => Buffer.alloc(0)],
    ['half of a list', 'ERR_CRL_UNREADABLE', async (good) => good.subarray(0, good.length / 2)],
    [
      "another CA's list",
      'ERR_CRL_NOT_OF_CA',
      async () => {
        const SecretId = authoritiesSecretName(tokenizationMesh.name);
        const { SecretString = '' } = await secrets().send(new GetSecretValueCommand({ SecretId }));
        const { servers } = JSON.parse(SecretString) as {
          servers: { crl: { bucket: string; key: string } }[];
        };
        return await new ClientsCrl(servers[1]?.crl.bucket ?? '', servers[1]?.crl.key ?? '').get();
      },
    ],
    [
      'an older list',
      'ERR_CRL_OLDER',
      async (good) => {
        await sleep(1_100);
        expect((await mesh(suite.run, ['revoke', 'outsider', '--role', 'client'])).code).toBe(0);
        expect((await mesh(suite.run, ['rotate', 'outsider', '--role', 'client'])).code).toBe(0);
        return good;
      },
    ],
  ])(
    'is not taken where it is %s: the last good one goes on, and it is told',
    async (_what, code, make) => {
      const tokenizer = nodeState(suite.state, 'tokenizer');
      const crl = await ClientsCrl.find();
      const bad = await make(await crl.get());
      const good = await crl.get();
      await crl.put(bad);
      try {
        const status = await until(
          async () => await sidecarStatus(tokenizer.agentSocket),
          (each) => crlCodes(each).includes(code),
        );
        expect(crlCodes(status)).toEqual([code]);
        expect(status?.trust.map(({ isCrlChecked }) => isCrlChecked)).toEqual([true, true]);
        expect(await metricsOf(tokenizer)).toMatch(/^tokenmesh_revocation_problems\{[^}]*\} 1$/m);
        const log = readFileSync(join(suite.state.directory, 'sidecar-of-tokenizer.log'), 'utf8');
        expect(log).toContain(`"code":"${code}"`);
        expect(await refusedInHandshake(tokenizer, revoked)).toBe(true);
        expect(await paybillThroughItsEnvoy()).toBe('200');
        const member = await credentialsOf(suite.state, 'paybill');
        expect(await probeListener(suite.state, tokenizer, member)).toMatchObject({ status: 200 });
        const { checks } = await verify();
        const failed = checks.filter((each) => !each.ok);
        expect([...new Set(failed.map(({ id }) => id))]).toEqual(['revocation.crl']);
      } finally {
        await crl.put(good);
      }
      const well = await until(
        async () => await sidecarStatus(tokenizer.agentSocket),
        (each) => crlCodes(each).length === 0,
      );
      expect(crlCodes(well)).toEqual([]);
      expect(await metricsOf(tokenizer)).toMatch(/^tokenmesh_revocation_problems\{[^}]*\} 0$/m);
    },
    DEADLINE_MS,
  );
});
