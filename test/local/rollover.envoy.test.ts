/**
 * The rollover of both CAs by the operator's command, on a running mesh with traffic going on.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListTagsForCertificateCommand, ListCertificatesCommand } from '@aws-sdk/client-acm';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, it } from '@jest/globals';
import { lanesOf, targetOf } from '../../bench/certificates/lanes.ts';
import { startCertificateLoad } from '../../bench/certificates/load.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState } from '../../operator/run-state.ts';
import { readCertificate, splitPem } from '../../pki/certificate.ts';
import { authoritiesSecretName, parseAuthorities } from '../../pki/revocation.ts';
import { createHandler } from '../../renewal/handler.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { mesh } from '../support/running-mesh.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';

const DEADLINE_MS = 240_000;
const REQUESTS_PER_SECOND = 100;

const suite = meshOfSuite();

let aws: ReturnType<typeof emulatorClients> | undefined;

afterAll(() => {
  aws?.acm.destroy();
  aws?.secretsManager.destroy();
});

/** Does something while requests go on over kept and fresh connections. @returns Those that failed. */
async function underLoad(work: () => Promise<void>): Promise<{ requests: number; failures: string[] }> {
  const load = await startCertificateLoad(lanesOf(targetOf(suite.state), REQUESTS_PER_SECOND));
  try {
    await sleep(500);
    await work();
    await sleep(500);
    const lanes = await load.stop();
    return {
      requests: lanes.reduce((sum, { at }) => sum + at.length, 0),
      failures: lanes.flatMap(({ name, failures }) => failures.map(({ what }) => `${name}: ${what}`)),
    };
  } finally {
    load.kill();
  }
}

/** The subjects of the CAs that a node's peers trust it by. */
function trusted(node: string, role: 'client' | 'server'): string[] {
  const pem = readFileSync(identityFiles(suite.state, node, role).trust, 'utf8');
  return splitPem(pem).map((each) => readCertificate(each).subject);
}

function clientsOfSuite(): ReturnType<typeof emulatorClients> {
  aws ??= emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  return aws;
}

async function reconcile(): Promise<void> {
  const { acm, secretsManager } = clientsOfSuite();
  const handler = createHandler({
    ...{ acm, secretsManager, meshName: 'tokenmesh', logger: captureLog().logger },
    ...{ clock: () => new Date(), sleep: async (ms: number) => await sleep(ms), random: Math.random },
  });
  await handler({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
}

describe('mesh ca rollover clients', () => {
  it(
    'stops while a node lags and names it, goes on when it has come along, and fails no request',
    async () => {
      const { agent } = nodeState(suite.state, 'paybill').pids;
      const { requests, failures } = await underLoad(async () => {
        process.kill(agent, 'SIGSTOP');
        try {
          const stopped = await mesh(suite.run, ['ca', 'rollover', 'clients', '--wait', '4']);
          expect(stopped.code).toBe(1);
          expect(stopped.stderr).toContain('paybill: its sidecar does not answer');
          expect(stopped.stderr).not.toMatch(/order: |tokenizer: /);
        } finally {
          process.kill(agent, 'SIGCONT');
        }
        const status = await mesh(suite.run, ['ca', 'status', '--json']);
        expect(JSON.parse(status.stdout)).toMatchObject({
          rollovers: [{ hierarchy: 'clients', step: 'trust' }],
        });
        const gone = await mesh(suite.run, ['ca', 'rollover', 'clients', '--json']);
        expect({ code: gone.code, stderr: gone.stderr }).toMatchObject({ code: 0 });
        const result = JSON.parse(gone.stdout) as { steps: { step: string }[] };
        expect(result).toMatchObject({ step: 'done', from: { generation: 1 }, to: { generation: 2 } });
        expect(result.steps.map(({ step }) => step)).toEqual(['trust', 'issue', 'retire']);
      });
      expect(failures).toEqual([]);
      expect(requests).toBeGreaterThan(500);
      expect(trusted('tokenizer', 'server')).toEqual(['CN=tokenmesh clients root 2']);
    },
    DEADLINE_MS,
  );

  it(
    'leaves one certificate of each node and role, which the reconcile finds as it should be',
    async () => {
      const { acm } = clientsOfSuite();
      const before = nodeState(suite.run.state, 'order').certificateArns.client;
      await reconcile();
      const { CertificateSummaryList: found = [] } = await acm.send(
        new ListCertificatesCommand({ Includes: { keyTypes: ['EC_prime256v1'] }, MaxItems: 100 }),
      );
      const places = await Promise.all(
        found.map(async ({ CertificateArn }) => {
          const { Tags = [] } = await acm.send(new ListTagsForCertificateCommand({ CertificateArn }));
          const valueOf = (key: string): string | undefined => Tags.find(({ Key }) => Key === key)?.Value;
          return `${valueOf('tokenmesh:mesh')} ${valueOf('tokenmesh:node')} ${valueOf('tokenmesh:role')}`;
        }),
      );
      expect(new Set(places).size).toBe(places.length);
      expect(places).toContain('tokenmesh order client');
      expect(before).not.toBe(nodeState(suite.state, 'order').certificateArns.client);
      const verified = await mesh(suite.run, ['verify', '--json']);
      expect({ code: verified.code, stderr: verified.stderr }).toEqual({ code: 0, stderr: '' });
    },
    DEADLINE_MS,
  );
});

describe('revocation after a rollover', () => {
  it(
    'checks the lists of the new CAs alone, and revokes at them',
    async () => {
      const { secretsManager } = clientsOfSuite();
      const { SecretString = '' } = await secretsManager.send(
        new GetSecretValueCommand({ SecretId: authoritiesSecretName('tokenmesh') }),
      );
      const { clients } = parseAuthorities('authorities', SecretString);
      expect(clients.map(({ certificate }) => readCertificate(certificate).subject)).toEqual([
        'CN=tokenmesh clients root 2',
        'CN=tokenmesh clients issuing 2',
      ]);
      for (const { agentSocket } of suite.state.nodes) {
        const status = await sidecarStatus(agentSocket);
        const trust = status?.trust.find(({ hierarchy }) => hierarchy === 'clients');
        expect(trust).toMatchObject({ isCrlChecked: true, problems: [] });
      }
      const revoked = await mesh(suite.run, ['revoke', 'order', '--role', 'client']);
      expect({ code: revoked.code, stderr: revoked.stderr }).toEqual({ code: 0, stderr: '' });
      expect(revoked.stdout).toMatch(/in the handshake after \d+ ms/);
      expect(await mesh(suite.run, ['rotate', 'order', '--role', 'client'])).toMatchObject({ code: 0 });
    },
    DEADLINE_MS,
  );
});

describe('mesh ca rollover servers', () => {
  it(
    'can be stopped when the new root is trusted, so that callers outside can be given it, and fails no request',
    async () => {
      const { requests, failures } = await underLoad(async () => {
        const stopped = await mesh(suite.run, ['ca', 'rollover', 'servers', '--until', 'trust']);
        expect(stopped).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('give the new root to every caller outside'),
        });
        expect(trusted('order', 'client')).toEqual([
          'CN=tokenmesh servers root 2',
          'CN=tokenmesh servers root',
        ]);
        const next = join(suite.state.directory, 'cas', 'servers-root-next.pem');
        expect(readCertificate(readFileSync(next, 'utf8')).subject).toBe('CN=tokenmesh servers root 2');
        expect(await mesh(suite.run, ['ca', 'rollover', 'servers'])).toMatchObject({ code: 0 });
      });
      expect(failures).toEqual([]);
      expect(requests).toBeGreaterThan(300);
      expect(suite.run.state.cas.map(({ name }) => name)).toEqual([
        ...['clients-root', 'clients-issuing', 'servers-root', 'servers-issuing'],
      ]);
      expect(await mesh(suite.run, ['verify'])).toMatchObject({ code: 0 });
    },
    DEADLINE_MS,
  );
});

describe('mesh rotate --all', () => {
  it(
    'rotates one hierarchy, every node of it, under the new CA, and fails no request',
    async () => {
      const { failures } = await underLoad(async () => {
        const rotated = await mesh(suite.run, ['rotate', '--all', '--role', 'server']);
        expect({ code: rotated.code, stderr: rotated.stderr }).toMatchObject({ code: 0 });
        const names = rotated.stdout.split('\n').flatMap((line) => /^(\S+ \S+):/.exec(line)?.[1] ?? []);
        expect(names).toEqual(suite.state.nodes.map(({ name }) => `${name} server`));
      });
      expect(failures).toEqual([]);
    },
    DEADLINE_MS,
  );
});

describe('wrong use', () => {
  it(
    'refuses a hierarchy that there is not, a node beside --all, and neither',
    async () => {
      const commands = [['ca', 'rollover', 'peers'], ['rotate', '--all', 'tokenizer'], ['rotate']];
      const [hierarchy, ...rotations] = await Promise.all(
        commands.map(async (each) => await mesh(suite.run, each)),
      );
      expect(hierarchy).toMatchObject({ code: 2, stderr: expect.stringContaining('clients, servers') });
      for (const rotation of rotations) expect(rotation).toMatchObject({ code: 2 });
    },
    DEADLINE_MS,
  );
});
