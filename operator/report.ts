import Table from 'cli-table3';
import type { Verification } from './verify.ts';
import type { CheckResult } from './checks/check.ts';
import type { MeshStatus } from './status.ts';
import type { Revocation } from './revoke.ts';
import type { Rotation } from './rotate.ts';

const PLAIN = { head: [], border: [] };

/** The handshake table, then the checks that did not hold, or how many did. */
export function verificationReport(verification: Verification): string {
  if (verification.edges.length === 0) return checksReport(verification.checks);
  const table = new Table({
    head: ['edge', 'mode', 'handshakes', 'no_certificate', 'TLS', 'serial', 'days left', 'refusals', ''],
    style: PLAIN,
  });
  for (const edge of verification.edges) {
    table.push([
      `${edge.from} -> ${edge.to}`,
      edge.mode,
      edge.handshakes,
      edge.noCertificate,
      edge.tls.replaceAll('TLSv', ''),
      edge.serialServed ? 'served = issued' : 'BEHIND',
      edge.daysLeft,
      edge.refused,
      edge.ok ? 'ok' : 'FAILED',
    ]);
  }
  return `${table.toString()}\n${checksReport(verification.checks)}`;
}

export function checksReport(checks: readonly CheckResult[]): string {
  const failed = checks.filter((each) => !each.ok);
  const lines = failed.map(
    ({ outcome, severity, id, subject, sentence, found, hint, document }) =>
      `${outcome.toUpperCase().padEnd(7)} ${severity.padEnd(8)}  ${id}  ${subject}: expected that ${sentence}; found ${found}\n        ${hint}\n        ${document}`,
  );
  return [...lines, checksSummary(checks)].join('\n');
}

export function checksSummary(checks: readonly CheckResult[]): string {
  const held = checks.filter(({ ok }) => ok).length;
  const unknown = checks.filter(({ outcome }) => outcome === 'unknown').length;
  return `${held} of ${checks.length} checks held${unknown === 0 ? '' : `; ${unknown} could not be looked at`}`;
}

export function statusReport(status: MeshStatus): string {
  const table = new Table({
    head: ['node', 'identity', 'listens on', 'TLS', 'admin', 'agent', 'envoy', 'app'],
    style: PLAIN,
  });
  for (const node of status.nodes) {
    table.push([
      node.name,
      node.identity,
      `${node.listener.host}:${node.listener.port}`,
      node.listener.tls,
      node.admin.url,
      node.pid.agent,
      node.pid.envoy ?? 'down',
      node.pid.app ?? '-',
    ]);
  }
  return [
    table.toString(),
    `gateway    ${status.gateway.url}`,
    `dashboard  ${status.dashboard.url}`,
    `AWS        ${status.aws.endpointUrl} (emulated, ${status.aws.region})`,
  ].join('\n');
}

/** A function shows nothing that could be looked at: what is told is that its new certificate is taken. */
export function rotationReport(rotation: Rotation, isFunction: boolean): string {
  const { node, role, serialBefore, serialAfter, publishedMs, servedMs } = rotation;
  return `${node} ${role}: ${serialBefore.slice(0, 8)}... -> ${serialAfter.slice(0, 8)}..., published after ${publishedMs} ms, ${isFunction ? 'taken by its listeners' : 'served'} after ${servedMs} ms`;
}

export function revocationReport(revocation: Revocation): string {
  const { node, role, serials, deniedMs, revokedMs, refusedMs, handshakeRefusedMs } = revocation;
  const refused =
    refusedMs === undefined
      ? `refused in the handshake by every caller after ${handshakeRefusedMs} ms`
      : `refused at every listener after ${refusedMs} ms, in the handshake after ${handshakeRefusedMs} ms`;
  const named = serials.map((serial) => `${serial.slice(0, 8)}...`).join(', ');
  return `${node} ${role}: ${named} on the deny list after ${deniedMs} ms, revoked at its CA after ${revokedMs} ms; ${refused}`;
}
