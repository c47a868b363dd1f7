/**
 * The function that hears of new revocation lists.
 *
 * EventBridge gives it "ACM Private CA CRL Generation" (AWS Private CA User Guide, "CloudWatch Events"),
 * at best effort: the sidecars fetch on a schedule all the same. A list that could not be made is an alarm.
 *
 * Needs what {@link announceCrls} needs.
 *
 * @module
 */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CONTROL_PATH_CLIENT } from '../cert-exporter/adapters/clients.ts';
import { isRecord, kindOf } from '../cert-exporter/event.ts';
import { TokenmeshError } from '../errors/error.ts';
import { createLogger, type Logger } from '../runtime/log.ts';
import { announceCrls } from './adapters/deny-list.ts';

export const CRL_GENERATION = { source: 'aws.acm-pca', detailType: 'ACM Private CA CRL Generation' } as const;

export interface CrlWiring {
  readonly secretsManager: SecretsManagerClient;
  readonly meshName: string;
  readonly clock: () => Date;
  readonly logger: Logger;
}

export type CrlHandler = (event: unknown) => Promise<void>;

export function createCrlHandler({ secretsManager, meshName, clock, logger }: CrlWiring): CrlHandler {
  return async (event) => {
    const { succeeded, authorities } = parseCrlGeneration(event);
    if (succeeded) {
      await announceCrls(secretsManager, meshName, clock());
      logger.info({ authorities }, 'CRL announced');
      return;
    }
    logger.error(
      {
        alarm: 'a CA could not write its CRL',
        authorities,
        remedy: 'see that its bucket is there, and that its policy lets acm-pca.amazonaws.com write to it',
      },
      'a CRL needs a person',
    );
  };
}

/** @throws {TokenmeshError} `ERR_EVENT_INVALID` */
function parseCrlGeneration(event: unknown): { succeeded: boolean; authorities: readonly string[] } {
  const envelope = isRecord(event) ? event : {};
  const detail = isRecord(envelope['detail']) ? envelope['detail'] : {};
  const isExpected =
    envelope['source'] === CRL_GENERATION.source && envelope['detail-type'] === CRL_GENERATION.detailType;
  const { result } = detail;
  if (isExpected && (result === 'success' || result === 'failure')) {
    const { resources } = envelope;
    const authorities = Array.isArray(resources) ? resources.map(String) : [];
    return { succeeded: result === 'success', authorities };
  }
  throw new TokenmeshError({
    code: 'ERR_EVENT_INVALID',
    message: `event: expected "${CRL_GENERATION.detailType}" of ${CRL_GENERATION.source} with a result, got ${kindOf(envelope['detail-type'])} with result ${kindOf(result)}`,
    remedy: 'have the rule of EventBridge match this source and detail-type alone',
  });
}

let wired: CrlHandler | undefined;

/** What AWS Lambda calls. */
export const handler: CrlHandler = async (event) => {
  wired ??= createCrlHandler({
    secretsManager: new SecretsManagerClient(CONTROL_PATH_CLIENT),
    meshName: process.env['TOKENMESH_MESH'] ?? 'tokenmesh',
    clock: () => new Date(),
    logger: createLogger('crl'),
  });
  await wired(event);
};
