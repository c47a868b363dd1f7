/**
 * The tokenizer's process: reads its environment, puts the parts together, listens on its socket.
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { describeError, TokenmeshError } from '../../errors/error.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { listenOnSocket } from '../../runtime/http-server.ts';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { createLogger } from '../../runtime/log.ts';
import { createAwsClients } from './adapters/aws-clients.ts';
import { createCedarPolicy } from './adapters/cedar-policy.ts';
import { createDynamodbTokenStore } from './adapters/dynamodb-token-store.ts';
import { createEncryptionSdkSealer } from './adapters/encryption-sdk-sealer.ts';
import { readConfig } from './config.ts';
import { compilePolicies } from './core/policy.ts';
import { createReadiness } from './core/readiness.ts';
import { createVault } from './core/vault.ts';
import { createMetrics } from './http/metrics.ts';
import { observeMinting } from './http/observe-minting.ts';
import { createTokenizerServer } from './http/server.ts';

const logger = createLogger('tokenizer');

const now = (): Date => new Date();

async function start(): Promise<void> {
  const config = readConfig(process.env);
  const mesh = tokenizationMesh;
  const clients = createAwsClients();
  const store = createDynamodbTokenStore({
    client: clients.dynamodb,
    tableName: config.tokensTableName,
    onFault: (error) => logger.error({ fault: nameOf(error) }, 'part of a batch failed'),
  });
  const sealer = createEncryptionSdkSealer({ ...clients, ...config });
  const policy = createCedarPolicy(compilePolicies(mesh));
  const tenants = new Set(
    Object.values(mesh.virtualNodes).flatMap((node) => node.vaultAccess?.tenants ?? []),
  );
  const metrics = createMetrics({ process: true });
  const app = await createTokenizerServer({
    vault: createVault({
      store,
      sealer,
      policy,
      now,
      randomBytes,
      regionCode: config.regionCode,
      observer: observeMinting(metrics, logger),
    }),
    checkReady: createReadiness({ store, sealer, tenants: [...tenants], now }),
    metrics,
    mesh,
    logger,
  });
  stopOnSignal(() => app.close());
  await listenOnSocket(app, config.socketPath);
  logger.info('listening');
}

/** The kind of an error, and not its text, which may quote what was sent. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

try {
  await start();
} catch (error) {
  const code = error instanceof TokenmeshError ? error.code : nameOf(error);
  logger.fatal({ code, problem: describeError(error) }, 'could not start');
  process.exit(1);
}
