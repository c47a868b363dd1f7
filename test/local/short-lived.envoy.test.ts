/**
 * Two nodes whose certificates live 24 seconds, on a running mesh: they renew by themselves while
 * orders go on. `TOKENMESH_TEST_LIFE_SECONDS` gives them another life: with 120, six minutes in place of one.
 *
 * @module
 */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateCertificateAuthorityCommand } from '@aws-sdk/client-acm-pca';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { loadDuring } from '../../local/traffic.ts';
import type { CertificateRole } from '../../mesh/definition.ts';
import { PEER_CHECK_HOST } from '../../mesh/envoy/outbound.ts';
import { CERTIFICATE_ROLES } from '../../mesh/identity.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { credentialsOf, probeListener } from '../../operator/facts/listener.ts';
import { peerCheck } from '../../operator/facts/through-egress.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import type { Verification } from '../../operator/verify.ts';
import type { IssuanceState } from '../../sidecar/envoy/cert-agent/issuance/short-lived-source.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';
import { shopOf } from '../../local/shop-of.ts';

const LIFE_SECONDS = Number(process.env['TOKENMESH_TEST_LIFE_SECONDS'] ?? 24);
const NODES = ['order', 'tokenizer'];
const RENEWALS = 3;
const DEADLINE_MS = 60_000 + LIFE_SECONDS * 5_000;

const suite = meshOfSuite({
  TOKENMESH_SHORT_LIVED: NODES.map((node) => `${node}=${LIFE_SECONDS}`).join(','),
});

async function issuances(): Promise<(IssuanceState & { node: string })[]> {
  const found = await Promise.all(
    NODES.map(async (node) => {
      const status = await sidecarStatus(nodeState(suite.state, node).agentSocket);
      return (status?.issuance ?? []).map((each) => ({ ...each, node }));
    }),
  );
  return found.flat();
}

/** What the sidecar says of its servers' certificate on `/metrics`. */
async function serverMetric(node: string, name: string): Promise<number> {
  const dispatcher = new Agent({ connect: { socketPath: nodeState(suite.state, node).agentSocket } });
  try {
    const { body } = await request('http://agent/metrics', { dispatcher });
    const [, value] =
      new RegExp(`^${name}\\{[^}]*role="server"[^}]*\\} (\\S+)$`, 'm').exec(await body.text()) ?? [];
    return Number(value);
  } finally {
    await dispatcher.close();
  }
}

async function problemCodes(node: string, role: CertificateRole): Promise<string[]> {
  const status = await sidecarStatus(nodeState(suite.state, node).agentSocket);
  return (status?.certificates.find((each) => each.role === role)?.problems ?? []).map((each) => each.code);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}

/** Until each of the certificates was issued so many times more. */
async function renewed(times: number): Promise<void> {
  const before = await issuances();
  expect(before).toHaveLength(NODES.length * CERTIFICATE_ROLES.length);
  await until(async () => {
    const now = await issuances();
    return now.every(({ issued }, index) => issued >= (before[index]?.issued ?? 0) + times);
  });
}

interface Handshakes {
  readonly made: number;
  readonly failed: readonly string[];
  readonly serials: ReadonlyMap<string, ReadonlySet<string>>;
}

/** New connections all the while, to each node as a server and from each as a client. */
async function handshakesDuring(state: RunState, work: Promise<unknown>): Promise<Handshakes> {
  let made = 0;
  const over = new AbortController();
  void work.catch(() => {}).finally(() => over.abort());
  const failed: string[] = [];
  const serials = new Map<string, Set<string>>();
  const credentials = await credentialsOf(state, 'paybill');
  while (!over.signal.aborted) {
    for (const name of NODES) {
      const node = nodeState(state, name);
      const outcome = await probeListener(state, node, credentials);
      const seen = {
        server: outcome.outcome === 'answered' && outcome.status === 200 ? outcome.serial : undefined,
        client: (await peerCheck(node.egressSocket, PEER_CHECK_HOST))?.serial,
      };
      for (const role of CERTIFICATE_ROLES) {
        const serial = seen[role];
        made += 1;
        if (serial === undefined) failed.push(`${name} ${role}: ${JSON.stringify(outcome)}`);
        else serials.set(`${name} ${role}`, (serials.get(`${name} ${role}`) ?? new Set()).add(serial));
      }
    }
    await sleep(50);
  }
  return { made, failed, serials };
}

async function underLoad(work: () => Promise<void>) {
  const { state } = suite;
  const shop = await shopOf(state);
  try {
    const working = work();
    const [{ load }, handshakes] = await Promise.all([
      loadDuring(shop, 4, async () => await working),
      handshakesDuring(state, working),
    ]);
    return { load, handshakes };
  } finally {
    await shop.dispatcher.close();
  }
}

/** What the processes of the run say of failures: a request that failed is explained there. */
function told({ directory }: RunState): string[] {
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith('.log'),
  );
  return logs.flatMap((file) => {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n');
    return lines.filter((line) => /ERR_\w+_UNAVAILABLE/.test(line)).slice(0, 5);
  });
}

describe('certificates that live shortly', () => {
  it(
    'renew themselves three times over, with no request and no handshake failing',
    async () => {
      const { load, handshakes } = await underLoad(async () => await renewed(RENEWALS));
      expect(load.failures.length === 0 ? [] : [...load.failures, ...told(suite.state)]).toEqual([]);
      expect(load.orders).toBeGreaterThan(50);
      expect(handshakes.failed).toEqual([]);
      expect(handshakes.made).toBeGreaterThan(200);
      expect([...handshakes.serials.keys()].toSorted()).toEqual([
        'order client',
        'order server',
        'tokenizer client',
        'tokenizer server',
      ]);
      for (const seen of handshakes.serials.values()) expect(seen.size).toBeGreaterThanOrEqual(RENEWALS);
      process.stdout.write(
        `${JSON.stringify({ lifeSeconds: LIFE_SECONDS, orders: load.orders, failed: load.failures.length, handshakes: handshakes.made, refused: handshakes.failed.length })}\n`,
      );
    },
    DEADLINE_MS,
  );

  it(
    'go on in use while the CA is disabled, which is told, and renew once it is enabled again',
    async () => {
      const { acmPca } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
      const arn = suite.state.cas.find((each) => each.name === 'servers-short-lived')?.arn;
      const set = async (Status: 'DISABLED' | 'ACTIVE') =>
        await acmPca.send(new UpdateCertificateAuthorityCommand({ CertificateAuthorityArn: arn, Status }));
      const { load, handshakes } = await underLoad(async () => {
        await set('DISABLED');
        try {
          for (const node of NODES) {
            await until(async () => (await problemCodes(node, 'server')).includes('ERR_ISSUE_CA_NOT_ACTIVE'));
            expect(await problemCodes(node, 'client')).toEqual([]);
            expect(await serverMetric(node, 'tokenmesh_renewal_failures')).toBeGreaterThan(0);
            expect(await serverMetric(node, 'tokenmesh_certificate_ends_seconds')).toBeGreaterThan(1e9);
          }
        } finally {
          await set('ACTIVE');
        }
        await renewed(1);
        for (const node of NODES) await until(async () => (await problemCodes(node, 'server')).length === 0);
      });
      expect(load.failures).toEqual([]);
      expect(handshakes.failed).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'hold in verify, which says when they renew',
    async () => {
      const { stdout } = await mesh(suite.run, ['verify', '--json']);
      const { ok, checks } = JSON.parse(stdout) as Verification;
      const renewing = checks.filter((each) => each.id === 'certificates.renews-itself');
      expect(renewing.map((each) => each.subject).toSorted()).toEqual([
        'order client',
        'order server',
        'tokenizer client',
        'tokenizer server',
      ]);
      expect(checks.filter((each) => !each.ok)).toEqual([]);
      expect(ok).toBe(true);
    },
    DEADLINE_MS,
  );

  it(
    'have keys that no secret holds',
    async () => {
      const { secretsManager } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
      const { SecretList = [] } = await secretsManager.send(new ListSecretsCommand({ MaxResults: 100 }));
      const names = SecretList.map((each) => each.Name ?? '');
      expect(names.filter((name) => name.startsWith('tokenmesh/paybill/')).length).toBeGreaterThan(0);
      expect(names.filter((name) => NODES.some((node) => name.startsWith(`tokenmesh/${node}/`)))).toEqual([]);
    },
    DEADLINE_MS,
  );

  it('are issued by CAs of their own, under the roots that peers trust anyway', () => {
    expect(suite.state.cas.map((each) => each.name)).toEqual(
      expect.arrayContaining(['clients-short-lived', 'servers-short-lived']),
    );
  });

  it(
    'are neither rotated nor revoked by command, which says what to do',
    async () => {
      const revoked = await mesh(suite.run, ['revoke', 'order']);
      expect(revoked.code).toBe(1);
      expect(revoked.stderr).toContain('take acm-pca:IssueCertificate from the role of order');
      const { code, stderr } = await mesh(suite.run, ['rotate', 'order']);
      expect(code).toBe(1);
      expect(stderr).toContain('order has short-lived certificates');
    },
    DEADLINE_MS,
  );
});
