import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SecretDelivery } from '../../../mesh/definition.ts';
import { checkCertificate } from '../../../operator/checks/certificates.ts';
import { checkRevocation } from '../../../operator/checks/revocation.ts';
import type { CheckResult } from '../../../operator/checks/check.ts';
import type { PkiProblem } from '../../../pki/problem.ts';
import { addCertificateMetrics } from '../../../sidecar/envoy/certificate-metrics.ts';
import { envoyAlone } from '../../support/envoy-alone.ts';
import { BAD_MATERIAL, type BadMaterial } from '../../support/bad-material.ts';
import { ROOT } from '../../support/documents.ts';
import { encryptWithOpenssl } from '../../support/openssl.ts';
import { issueLeaf } from '../../support/issue-certificate.ts';
import {
  certificateText,
  PASSPHRASE,
  startSidecar,
  type SidecarUnderTest,
} from '../../support/sidecar-under-test.ts';

const START_DEADLINE_MS = 180_000;
const ROW_DEADLINE_MS = 60_000;

/** What was seen of each bad set, by the way in which it came. */
const SEEN = new Map<string, string>();

let sidecar: SidecarUnderTest;

/** What the sidecar says against what a row is about. */
function problemsAbout({ about }: BadMaterial): readonly PkiProblem[] {
  const { agent, revocation } = sidecar;
  if (about === 'server') return agent.states.find(({ role }) => role === 'server')?.problems ?? [];
  if (about === 'trust-servers')
    return agent.trustStates.find(({ hierarchy }) => hierarchy === 'servers')?.problems ?? [];
  return revocation.state.crls
    .filter(({ hierarchy }) => hierarchy === 'clients')
    .flatMap(({ problems }) => problems);
}

/** What `mesh verify` makes of that. */
function verified(row: BadMaterial, servedSerial: string | undefined): CheckResult[] {
  const problems = problemsAbout(row);
  if (row.about === 'crls-clients') {
    const crl = {
      hierarchy: 'clients',
      isChecked: true,
      hoursToNextUpdate: 1,
      serials: 0,
      problems,
    } as const;
    const facts = {
      node: 'order',
      notDenied: [],
      deniedSerials: 0,
      problems: [],
      crls: [crl],
      ownRevoked: [],
    };
    return checkRevocation(facts);
  }
  const issuedSerial = servedSerial ?? '';
  const facts = {
    node: 'order',
    role: 'server',
    issuedSerial,
    daysLeft: 100,
    servedSerial,
    isTaken: true,
  } as const;
  return checkCertificate({ ...facts, problems });
}

async function metrics(): Promise<string> {
  const registry = new Registry();
  addCertificateMetrics(registry, { ...sidecar, now: Date.now });
  return await registry.metrics();
}

/** Everything good again, and a certificate that has not been served before. */
async function mend(): Promise<string> {
  const next = await sidecar.issue('server');
  sidecar.secrets.certificates.server = next;
  const roots = sidecar.hierarchies.servers.root.certificate;
  sidecar.secrets.trust.servers = { version: `good again: ${next.serial}`, roots };
  await sidecar.publishCrls();
  await sidecar.round();
  return next.serial;
}

const swaps = (): number[] => sidecar.agent.states.map((state) => state.swaps);

async function lookAt(row: BadMaterial, delivery: SecretDelivery): Promise<void> {
  const before = await sidecar.served('server');
  expect(before).toBeDefined();
  const swapsBefore = swaps();
  const answersBefore = JSON.stringify(sidecar.sink.answers);
  const restore = await row.spoil(sidecar);
  try {
    await sidecar.round();
  } finally {
    restore?.();
  }
  const during = await sidecar.served('server');
  const problems = problemsAbout(row);
  expect({ during, swaps: swaps(), answers: JSON.stringify(sidecar.sink.answers) }).toEqual({
    during: before,
    swaps: swapsBefore,
    answers: answersBefore,
  });
  expect(problems.map(({ code }) => code)).toContain(row.code);
  expect(await metrics()).toContain(
    `tokenmesh_certificate_problems{about="${row.about}",code="${row.code}"} 1`,
  );
  const failed = verified(row, during).filter(({ ok }) => !ok);
  const [problem] = problems;
  expect(failed[0]).toMatchObject({
    hint: problem?.remedy.replaceAll('<node>', 'order'),
    found: expect.stringContaining(problem?.message ?? '-'),
  });
  const next = await mend();
  const after = await sidecar.served('server');
  expect(after).toBe(next);
  expect(problemsAbout(row)).toEqual([]);
  expect(await metrics()).not.toContain(row.code);
  const seen = [before, during, after].map((serial) =>
    serial === before ? 'first' : serial === next ? 'next' : '?',
  );
  SEEN.set(`${row.what} ${delivery}`, seen.join(' / '));
}

describe.each(['sds', 'file'] as const)('with secrets delivered by %s, the sidecar stops', (delivery) => {
  beforeAll(async () => {
    sidecar = await startSidecar(delivery);
  }, START_DEADLINE_MS);
  afterAll(async () => await sidecar?.stop());

  it.each(BAD_MATERIAL.filter(({ deliveries }) => deliveries.includes(delivery)))(
    '$what ($code): Envoy goes on with the old one, and takes the next without a restart',
    async (row) => await lookAt(row, delivery),
    ROW_DEADLINE_MS,
  );
});

describe('the ways in which a key may be encrypted', () => {
  beforeAll(async () => {
    sidecar = await startSidecar('sds');
  }, START_DEADLINE_MS);
  afterAll(async () => await sidecar?.stop());

  it.each([
    ['aes-256-cbc', 'hmacWithSHA256'],
    ['aes-256-cbc', 'hmacWithSHA1'],
    ['aes-192-cbc', 'hmacWithSHA256'],
    ['aes-128-cbc', 'hmacWithSHA256'],
    ['des3', 'hmacWithSHA256'],
  ])('are opened by Envoy: %s with %s', async (cipher, prf) => {
    const { hierarchies, identity, secrets } = sidecar;
    const leaf = await issueLeaf(hierarchies.servers.subordinate, identity);
    const encryptedPrivateKey = encryptWithOpenssl(leaf.key, PASSPHRASE, ['-v2', cipher, '-v2prf', prf]);
    secrets.certificates.server = certificateText(leaf, hierarchies.servers.chain, { encryptedPrivateKey });
    await sidecar.round();
    expect(await sidecar.served('server')).toBe(leaf.serial);
  });
});

describe('an Envoy for which nobody judges', () => {
  beforeAll(async () => {
    sidecar = await startSidecar('sds');
  }, START_DEADLINE_MS);
  afterAll(async () => await sidecar?.stop());

  it.each(BAD_MATERIAL.filter(({ deliveries }) => deliveries.includes('sds')))(
    'is whole again after $what as soon as something good is published',
    async (row) => {
      SEEN.set(`${row.what} alone`, await envoyAlone(sidecar, row));
      const next = await mend();
      expect(await sidecar.served('server')).toBe(next);
      expect(await sidecar.served('client')).toBeDefined();
    },
    ROW_DEADLINE_MS,
  );
});

const DOCUMENT = join(ROOT, 'docs/certificates.md');
const TABLE = /(?<=<!-- bad material -->\n)[^]*?(?=<!-- end -->)/;

describe('docs/certificates.md', () => {
  it('has the table of this run', () => {
    const cell = (row: BadMaterial, how: string): string => SEEN.get(`${row.what} ${how}`) ?? '-';
    const lines = BAD_MATERIAL.map(
      (row) =>
        `| ${row.what} | ${cell(row, 'alone')} | \`${row.code}\` | ${cell(row, 'sds')} | ${cell(row, 'file')} |`,
    );
    const head = [
      '| what was published | Envoy alone | the sidecar refuses it with | served before / during / after, by SDS | by file |',
      '|---|---|---|---|---|',
    ];
    const table = `${[...head, ...lines].join('\n')}\n`;
    const text = readFileSync(DOCUMENT, 'utf8');
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(DOCUMENT, text.replace(TABLE, table));
    expect(readFileSync(DOCUMENT, 'utf8').match(TABLE)?.[0]).toBe(table);
  });
});
