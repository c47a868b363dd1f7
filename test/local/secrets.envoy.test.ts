import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { Agent, request } from 'undici';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { CERTIFICATE_ROLES } from '../../mesh/identity.ts';
import type { CheckResult } from '../../operator/checks/check.ts';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { parseCertificateSecret, secretNames } from '../../pki/secret.ts';
import { filesWith } from '../support/files-with.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;
const ran = meshOfSuite();

/** Written for the operator by `status` and for the probes; the processor is none of ours. No task has them. */
const NOT_OF_A_TASK = /^(?:identities|probes|processor)\//;

/** What must be nowhere: a private key of any kind, and every key and passphrase of this very run. */
let needles: string[] = [];

async function secretsOfRun(): Promise<string[]> {
  const { aws, nodes } = ran.state;
  const { secretsManager } = emulatorClients(aws.endpointUrl, aws.region);
  const read = async (SecretId: string): Promise<string> =>
    (await secretsManager.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '';
  const found: string[] = [];
  for (const { name } of nodes) {
    for (const role of CERTIFICATE_ROLES) {
      const names = secretNames(tokenizationMesh.name, name, role);
      const secret = parseCertificateSecret(names.certificate, await read(names.certificate));
      found.push(await read(names.passphrase), secret.encryptedPrivateKey.split('\n')[2] ?? '');
    }
  }
  return found;
}

async function pidsOfRun(): Promise<number[]> {
  const byNode = await Promise.all(
    ran.state.nodes.map(async ({ pids, agentSocket }) => [
      pids.agent,
      ...(pids.app === undefined ? [] : [pids.app]),
      (await sidecarStatus(agentSocket))?.envoyPid ?? 0,
    ]),
  );
  return byNode.flat();
}

const holdsAny = (text: string): boolean => needles.some((needle) => text.includes(needle));

describe('a mesh whose secrets are delivered from memory', () => {
  beforeAll(async () => {
    await mesh(ran.run, ['rotate', 'order']);
    needles = ['PRIVATE KEY', ...(await secretsOfRun())];
  }, DEADLINE_MS);

  it('has a key and a passphrase for each role of each node, for which this test looks', () => {
    expect(needles.every((needle) => needle.length >= 10)).toBe(true);
    expect(needles).toHaveLength(1 + ran.state.nodes.length * CERTIFICATE_ROLES.length * 2);
  });

  it('has taken every secret from memory, by its own word', async () => {
    for (const { agentSocket } of ran.state.nodes) {
      const { secrets = [] } = (await sidecarStatus(agentSocket)) ?? {};
      expect(secrets.filter(({ taken }) => taken > 0).map(({ name }) => name)).toEqual(
        expect.arrayContaining(['server', 'trust-servers']),
      );
      expect(secrets.every(({ refused }) => refused === 0)).toBe(true);
    }
  });

  it('has no private key and no passphrase in a file of a task, or in a log', () => {
    const found = filesWith(ran.state.directory, needles);
    // The search finds what is there to be found.
    expect(found.some((file) => file.startsWith('identities/'))).toBe(true);
    expect(found.filter((file) => !NOT_OF_A_TASK.test(file))).toEqual([]);
    expect(filesWith(ran.state.directory, ['certificate is served']).length).toBeGreaterThan(0);
    expect(holdsAny(ran.run.output)).toBe(false);
  });

  it('has none in the environment or the command line of a process', async () => {
    // Elsewhere a process shows neither without a program that may not be there.
    if (process.platform !== 'linux') return void process.stderr.write('not run: there is no /proc\n');
    const pids = await pidsOfRun();
    expect(pids.length).toBeGreaterThan(10);
    for (const pid of pids) {
      const [environment, commandLine] = ['environ', 'cmdline'].map((name) =>
        readFileSync(`/proc/${pid}/${name}`, 'latin1'),
      );
      expect(commandLine).not.toBe('');
      // Envoy is told nothing by its environment, not even how to come by credentials.
      expect({ commandLine, isTold: /AWS_|TOKENMESH_/.test(environment ?? '') }).toEqual({
        commandLine,
        isTold: commandLine?.includes('--drain-strategy') === false,
      });
      expect({ pid, found: holdsAny(`${environment}${commandLine}`) }).toEqual({ pid, found: false });
    }
  });
});

describe('half a secret on a running mesh', () => {
  it(
    'is stopped, told by the metric and by verify with what to do, and is over with the next certificate',
    async () => {
      await spoilOrder();
      expect(await metricsOfOrder()).toMatch(
        /tokenmesh_certificate_problems\{about="server",code="ERR_SECRET_UNUSABLE",node="order"\} 1/,
      );
      const { code, stdout } = await mesh(ran.run, ['verify', '--json']);
      expect(code).toBe(1);
      expect(failedIn(stdout)).toEqual([
        expect.objectContaining({
          id: 'certificates.taken',
          subject: 'order server',
          found: expect.stringContaining('is not usable'),
          hint: expect.stringContaining('mesh -- rotate'),
        }),
      ]);
      expect((await mesh(ran.run, ['rotate', 'order', '--role', 'server'])).code).toBe(0);
      const after = await mesh(ran.run, ['verify', '--json']);
      expect({ code: after.code, failed: failedIn(after.stdout) }).toEqual({ code: 0, failed: [] });
      expect(await metricsOfOrder()).not.toContain('tokenmesh_certificate_problems{');
    },
    DEADLINE_MS,
  );
});

function failedIn(stdout: string): CheckResult[] {
  return (JSON.parse(stdout) as { checks: CheckResult[] }).checks.filter(({ ok }) => !ok);
}

function socketOfOrder(): string {
  return ran.state.nodes.find(({ name }) => name === 'order')?.agentSocket ?? '';
}

/** Publishes half of order's server secret, and waits until its sidecar has seen it. */
async function spoilOrder(): Promise<void> {
  const { aws } = ran.state;
  const { secretsManager } = emulatorClients(aws.endpointUrl, aws.region);
  const SecretId = secretNames(tokenizationMesh.name, 'order', 'server').certificate;
  const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
  const half = SecretString.slice(0, SecretString.length / 2);
  await secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString: half }));
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const status = await sidecarStatus(socketOfOrder());
    if (status?.certificates.some(({ problems }) => problems.length > 0) === true) return;
    await sleep(100);
  }
  throw new Error("order's sidecar did not see the bad secret");
}

async function metricsOfOrder(): Promise<string> {
  const dispatcher = new Agent({ connect: { socketPath: socketOfOrder() } });
  const { body } = await request('http://agent/metrics', { dispatcher });
  return await body.text();
}
