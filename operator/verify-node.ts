/**
 * Judges what a node says of itself, where the operator cannot connect to it: less than `verify`, which
 * connects. What is not in the facts is unknown.
 *
 * @module
 */

import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { listenerMode, memberOf } from '../mesh/edges.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, hierarchyOf } from '../mesh/identity.ts';
import { check, withUnknown, type CheckResult, type ExpectedCheck } from './checks/check.ts';
import { checkClock } from './checks/clock.ts';
import { checkRevocation } from './checks/revocation.ts';
import type { ListenerCounters } from './checks/seen.ts';
import type { NodeFacts } from './facts/node.ts';
import { ownRevocationFacts } from './facts/revocation.ts';
import type { SidecarStatus } from './facts/agent.ts';
import { checksReport } from './report.ts';
import { readStandardInput } from './vault-call.ts';

/** @param now - In milliseconds since 1970, of the machine that judges. */
export function judgeNode(
  mesh: Mesh,
  { node, at, sidecar, listener }: NodeFacts,
  now: number,
): CheckResult[] {
  const made = [
    ...(sidecar === undefined
      ? []
      : [...certificateChecks(node, sidecar), ...checkRevocation(ownRevocationFacts(node, sidecar, now))]),
    ...(listener === undefined ? [] : listenerChecks(mesh, node, listener)),
    checkClock({ subject: node, aheadSeconds: (Date.parse(at) - now) / 1000 }),
  ];
  const unseen = (['certificates', 'revocation', 'mtls'] as const).map((group) => ({
    group,
    reason: `could not be looked at: ${group === 'mtls' ? "Envoy's admin interface" : 'the agent'} does not answer`,
  }));
  return withUnknown(expectedOf(mesh, node), made, unseen);
}

function expectedOf(mesh: Mesh, node: string): ExpectedCheck[] {
  return [
    ...CERTIFICATE_ROLES.flatMap((role): ExpectedCheck[] => [
      { id: 'certificates.taken', subject: `${node} ${role}` },
      { id: 'certificates.served', subject: `${node} ${role}` },
    ]),
    { id: 'revocation.own', subject: node },
    { id: 'revocation.deny-list', subject: node },
    ...HIERARCHIES.map((hierarchy): ExpectedCheck => ({
      id: 'revocation.crl',
      subject: `${node} ${hierarchy}`,
    })),
    { id: 'mtls.version', subject: node },
    { id: isMutual(mesh, node) ? 'mtls.mutual' : 'mtls.one-way', subject: node },
    { id: 'clock.agrees', subject: node },
  ];
}

function isMutual(mesh: Mesh, node: string): boolean {
  const member = memberOf(mesh, node);
  return member !== undefined && listenerMode(member.listener) === 'mtls';
}

function certificateChecks(node: string, { ready, certificates, trust }: SidecarStatus): CheckResult[] {
  return certificates.flatMap(({ role, serial, servedSerial, problems }) => {
    const ofTrust = trust.find(({ hierarchy }) => hierarchy === hierarchyOf(role))?.problems ?? [];
    const [problem] = [...problems, ...ofTrust];
    const subject = `${node} ${role}`;
    return [
      check(
        'certificates.taken',
        subject,
        ready && problem === undefined,
        problem?.message ?? (ready ? 'taken' : 'the sidecar is not ready'),
        problem?.remedy,
      ),
      check(
        'certificates.served',
        subject,
        serial !== undefined && serial === servedSerial,
        `taken ${serial?.slice(0, 8) ?? 'none'}, served ${servedSerial?.slice(0, 8) ?? 'none'}`,
      ),
    ];
  });
}

function listenerChecks(mesh: Mesh, node: string, counters: ListenerCounters): CheckResult[] {
  const { handshake, noCertificate, versions } = counters;
  const found = `handshake ${handshake}, no_certificate ${noCertificate}`;
  const isTls13 = Object.keys(versions).every((version) => version === 'TLSv1.3');
  const mode = isMutual(mesh, node)
    ? check('mtls.mutual', node, handshake >= 1 && noCertificate === 0, found)
    : check('mtls.one-way', node, handshake >= 1 && noCertificate === handshake, found);
  return [
    check('mtls.version', node, isTls13 && handshake > 0, Object.keys(versions).join(', ') || 'none'),
    mode,
  ];
}

export function addVerifyNodeCommand(
  program: Command,
  mesh: Mesh,
  print: (text: string) => void,
  onlyStandardInput: (argument: string) => void,
): void {
  program
    .command('verify-node')
    .description('judge what facts-of-this-node.ts printed in a task, without connecting to anything')
    .argument('<input>', '- for standard input')
    .option('--json', 'print one JSON document')
    .action(async (input: string, options: { json?: true }) => {
      onlyStandardInput(input);
      const checks = judgeNode(mesh, factsIn(await readStandardInput()), Date.now());
      print(options.json === true ? JSON.stringify(checks, null, 2) : checksReport(checks));
      if (!checks.every(({ ok }) => ok)) process.exitCode = 1;
    });
}

/** ECS Exec prints lines of its own around what the command printed. */
function factsIn(text: string): NodeFacts {
  for (const line of text.split('\n').filter((each) => each.startsWith('{'))) {
    try {
      const facts = JSON.parse(line) as NodeFacts;
      if (typeof facts.node === 'string' && !Number.isNaN(Date.parse(facts.at))) return facts;
    } catch {
      // Told below: it is not what was printed.
    }
  }
  throw new TokenmeshError({
    code: 'ERR_NODE_FACTS',
    message: 'no facts of a node on standard input: expected the line that facts-of-this-node.ts prints',
    remedy: 'run it in the container of a sidecar, and pipe what it prints in',
  });
}
