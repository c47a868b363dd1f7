import { setTimeout as sleep } from 'node:timers/promises';
import { ACMClient } from '@aws-sdk/client-acm';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AcmCertificateSource } from '../cert-exporter/adapters/acm.ts';
import { CONTROL_PATH_CLIENT } from '../cert-exporter/adapters/clients.ts';
import { SecretsManagerStore } from '../cert-exporter/adapters/secrets-manager.ts';
import { exportCertificate } from '../cert-exporter/export.ts';
import { findPublished } from '../cert-exporter/published.ts';
import { secretNames } from '../pki/secret.ts';
import { createLogger, type Logger } from '../runtime/log.ts';
import { AcmCertificateAuthority } from './adapters/acm.ts';
import { emfMetrics } from './adapters/emf-metrics.ts';
import { LogAlarms } from './adapters/log-alarms.ts';
import { parseRenewalEvent } from './event.ts';
import type { Pace, RenewalMetrics } from './ports.ts';
import { runRenewal, throwIfAnyFailed, type RenewalPorts, type RenewalReport } from './renew.ts';

export interface RenewalWiring extends Pace {
  readonly acm: ACMClient;
  readonly secretsManager: SecretsManagerClient;
  readonly meshName: string;
  readonly logger: Logger;
  /** @default none are kept */
  readonly metrics?: RenewalMetrics;
}

/** What Lambda's context is asked for; a caller in process may leave it out. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
}

export type RenewalHandler = (event: unknown, context?: InvocationContext) => Promise<RenewalReport>;

/** What an invocation may take where no context says it. */
const DEFAULT_DURATION_MS = 300_000;

/** Kept back from the wait for ACM, for the export and the log. */
const RESERVE_MS = 15_000;

export function createHandler(wiring: RenewalWiring): RenewalHandler {
  const ports = portsOf(wiring);
  return async (event, context) => {
    const received = parseRenewalEvent(event);
    const durationMs = context?.getRemainingTimeInMillis() ?? DEFAULT_DURATION_MS;
    const deadlineAt = new Date(wiring.clock().getTime() + durationMs - RESERVE_MS);
    const report = await runRenewal(ports, received, { meshName: wiring.meshName, deadlineAt });
    for (const result of report.results) {
      const level = result.error === undefined ? 'info' : 'error';
      wiring.logger[level]({ ...result }, 'certificate renewal ended');
    }
    throwIfAnyFailed(report);
    return report;
  };
}

function portsOf(wiring: RenewalWiring): RenewalPorts {
  const { acm, meshName, logger, clock } = wiring;
  const store = new SecretsManagerStore(wiring.secretsManager);
  const source = new AcmCertificateSource(acm);
  return {
    authority: new AcmCertificateAuthority(acm),
    published: { current: ({ mesh, node, role }) => findPublished(store, secretNames(mesh, node, role)) },
    exportCertificate: (certificateArn) =>
      exportCertificate({ source, store }, { certificateArn, meshName, now: clock() }),
    alarms: new LogAlarms(logger),
    metrics: wiring.metrics ?? NO_METRICS,
    pace: wiring,
    onDecision: (result) => logger.info({ ...result }, 'certificate renewal decided'),
  };
}

/** A person who runs the handler in process reads its report. */
const NO_METRICS: RenewalMetrics = { record: () => {} };

const systemClock = (): Date => new Date();

let wired: RenewalHandler | undefined;

/** What AWS Lambda calls. The clients are made at the first event and kept for those that follow. */
export const handler: RenewalHandler = async (event, context) => {
  const meshName = process.env['TOKENMESH_MESH'] ?? 'tokenmesh';
  wired ??= createHandler({
    acm: new ACMClient(CONTROL_PATH_CLIENT),
    secretsManager: new SecretsManagerClient(CONTROL_PATH_CLIENT),
    meshName,
    clock: systemClock,
    metrics: emfMetrics({
      meshName,
      clock: systemClock,
      print: (line) => void process.stdout.write(`${line}\n`),
    }),
    sleep,
    random: Math.random,
    logger: createLogger('renewal'),
  });
  return wired(event, context);
};
