import { ACMClient } from '@aws-sdk/client-acm';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createLogger, type Logger } from '../runtime/log.ts';
import { AcmCertificateSource } from './adapters/acm.ts';
import { CONTROL_PATH_CLIENT } from './adapters/clients.ts';
import { SecretsManagerStore } from './adapters/secrets-manager.ts';
import { parseExportEvent } from './event.ts';
import { exportCertificate, type ExportResult } from './export.ts';

export interface ExporterWiring {
  readonly acm: ACMClient;
  readonly secretsManager: SecretsManagerClient;
  readonly meshName: string;
  readonly clock: () => Date;
  readonly logger: Logger;
}

export type ExportHandler = (event: unknown) => Promise<ExportResult>;

export function createHandler(wiring: ExporterWiring): ExportHandler {
  const ports = {
    source: new AcmCertificateSource(wiring.acm),
    store: new SecretsManagerStore(wiring.secretsManager),
  };
  return async (event) => {
    const { certificateArn } = parseExportEvent(event);
    const result = await exportCertificate(ports, {
      certificateArn,
      meshName: wiring.meshName,
      now: wiring.clock(),
    });
    wiring.logger.info({ ...result }, 'certificate export ended');
    return result;
  };
}

let wired: ExportHandler | undefined;

/** What AWS Lambda calls. The clients are made at the first event and kept for those that follow. */
export const handler: ExportHandler = async (event) => {
  wired ??= createHandler({
    acm: new ACMClient(CONTROL_PATH_CLIENT),
    secretsManager: new SecretsManagerClient(CONTROL_PATH_CLIENT),
    meshName: process.env['TOKENMESH_MESH'] ?? 'tokenmesh',
    clock: () => new Date(),
    logger: createLogger('cert-exporter'),
  });
  return wired(event);
};
