/**
 * The tokenizer's process: reads its environment, puts the parts together, listens on its socket.
 *
 * @module
 */

import { describeError, TokenmeshError } from '../../errors/error.ts';
import { identityOf } from '../../mesh/identity.ts';
import { vaultAccesses, vaultTenants } from '../../mesh/vault-access.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { listenOnSocket } from '../../runtime/http-server.ts';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { createLogger, nameOf } from '../../runtime/log.ts';
import { startTracing, tracing } from '../../runtime/tracing.ts';
import { createAwsClients } from './adapters/aws-clients.ts';
import { detectionPorts } from './adapters/detection/detection-ports.ts';
import { createDynamodbAuditLog } from './adapters/dynamodb-audit-log.ts';
import { createDynamodbFingerprintIndex } from './adapters/dynamodb-fingerprint-index.ts';
import { createDynamodbIdempotencyStore } from './adapters/dynamodb-idempotency-store.ts';
import { createDynamodbJobStore } from './adapters/dynamodb-job-store.ts';
import { createDynamodbRecordPages } from './adapters/dynamodb-record-pages.ts';
import { createDynamodbReferenceStore } from './adapters/dynamodb-reference-store.ts';
import { createDynamodbResealStore } from './adapters/dynamodb-reseal-store.ts';
import { createDynamodbRewrapAsks } from './adapters/dynamodb-rewrap-asks.ts';
import { createDynamodbSealedRows } from './adapters/dynamodb-sealed-rows.ts';
import { createDynamodbSweepStore } from './adapters/dynamodb-sweep-store.ts';
import { createDynamodbTokenStore } from './adapters/dynamodb-token-store.ts';
import { listHoneyTokens } from './adapters/dynamodb-honey-tokens.ts';
import { watchHoneyTokens } from './adapters/honey-watch.ts';
import { createLifeEvents } from './adapters/eventbridge-life-events.ts';
import { createKmsAuditMac } from './adapters/kms-audit-mac.ts';
import { createKmsFingerprintKeys } from './adapters/kms-fingerprint-keys.ts';
import { createKmsMarkKeys } from './adapters/kms-mark-keys.ts';
import { openPolicyFolder, type PolicyStatus } from './adapters/policy-folder.ts';
import { readConfig } from './config.ts';
import { createAudit } from './core/audit/audit.ts';
import { createAuditedVault } from './core/audit/audited-vault.ts';
import { auditWordsOf } from './core/audit/record.ts';
import { createIdempotentVault } from './core/idempotency.ts';
import { createMarkedVault } from './core/marks/marked-vault.ts';
import { createRateLimiter, ratesOf } from './core/rate-limit.ts';
import { createReplicationWatch } from './core/replication.ts';
import { createReadiness } from './core/readiness.ts';
import { createTextService } from './core/text/text-service.ts';
import { createVault } from './core/vault.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { observeHoney } from './http/observe-honey.ts';
import { observeMinting } from './http/observe-minting.ts';
import { createRandomPool } from './random-pool.ts';
import { startReindexer } from './reindexer.ts';
import { startRewrapper } from './rewrapper.ts';
import { SealingThreads } from './sealing-threads.ts';
import { startSweeper } from './sweeper.ts';
import { createVaultKeys } from './vault-keys.ts';
import { createTokenizerServer, type PolicyState } from './http/server.ts';

const logger = createLogger('tokenizer');

const now = (): Date => new Date();

const randomBytes = createRandomPool();

const SEAL_CHECK_MS = 1_000;

const REINDEX_CHECK_MS = 2_000;

const REWRAP_CHECK_MS = 2_000;

/** A call that the mesh has given up on is not waited for by those who send it again. */
const LEASE_MARGIN_MS = 5_000;

async function start(): Promise<void> {
  const config = readConfig(process.env);
  await startTracing('tokenizer', process.env);
  const mesh = tokenizationMesh;
  const clients = createAwsClients();
  const table = { client: clients.dynamodb, tableName: config.tokensTableName };
  const metrics = createMetrics({ process: true });
  const store = createDynamodbTokenStore({
    ...table,
    observer: metrics,
    onFault: (error) => logger.error({ fault: nameOf(error) }, 'a call of the token store failed'),
  });
  const sealing = new SealingThreads({
    threads: config.sealingThreads,
    randomBytes,
    onFault: (error) => logger.error({ fault: nameOf(error) }, 'a sealing thread ended'),
  });
  const { keys, sealer, source } = createVaultKeys({
    ...clients,
    ...config,
    work: sealing,
    observer: metrics,
  });
  metrics.watchKeys(() => keys.state());
  const folder = await openPolicyFolder({
    directory: config.policiesDirectory,
    mesh,
    now,
    onStatus: (status) => tellPolicies(status, metrics),
  });
  const { policy } = folder;
  const honey = watchHoneyTokens(
    () => listHoneyTokens(table),
    (error) => logger.error({ fault: nameOf(error) }, 'honey tokens could not be read'),
  );
  // Not waited for: the service starts, and says what is not to be had, where AWS does not answer.
  void honey.refresh();
  const mac = createKmsAuditMac({ ...clients, ...config });
  const lifeEvents =
    config.eventBusName === undefined
      ? undefined
      : createLifeEvents({
          busName: config.eventBusName,
          observer: metrics,
          onFault: (error) => logger.warn({ fault: nameOf(error) }, 'life events could not be sent'),
        });
  const audit = createAudit({
    log: createDynamodbAuditLog({ client: clients.dynamodb, ...config }),
    mac,
    identity: identityOf(mesh, 'tokenizer'),
    now,
    randomBytes,
    onFault: (error) => logger.error({ fault: faultOf(error) }, 'the audit could not be written'),
    honey: { has: honey.has, onUse: observeHoney(mesh, metrics, logger) },
    ...(lifeEvents === undefined ? {} : { lifeEvents: lifeEvents.send }),
  });
  const tenants = vaultTenants(mesh);
  const replicas = createReplicationWatch(config.otherRegionCodes, now);
  metrics.watchReplicas(replicas);
  const markKeys = createKmsMarkKeys({ ...clients, ...config });
  const vaultParts = {
    markKeys,
    store,
    references: createDynamodbReferenceStore(table),
    sealer,
    policy,
    now,
    randomBytes,
    regionCode: config.regionCode,
    replicas,
    observer: observeMinting(metrics, logger),
    fingerprints: {
      keys: createKmsFingerprintKeys({
        ...clients,
        ...config,
        isDestroyed: (tenant) => keys.isDestroyed(tenant),
      }),
      index: createDynamodbFingerprintIndex({
        client: clients.dynamodb,
        tableName: config.fingerprintsTableName,
        onFault: (error) => logger.error({ fault: nameOf(error) }, 'the index of fingerprints failed'),
      }),
    },
  };
  const idempotent = createIdempotentVault({
    vault: createVault(vaultParts),
    store: createDynamodbIdempotencyStore(table),
    policy,
    mac,
    now,
    randomBytes,
    leaseMs: mesh.requestTimeoutSeconds * 1000 + LEASE_MARGIN_MS,
  });
  const marked = createMarkedVault({ vault: idempotent, policy, keys: markKeys });
  const vault = createAuditedVault({
    vault: marked,
    audit,
    now,
    words: auditWordsOf(vaultAccesses(mesh)),
  });
  const app = await createTokenizerServer({
    vault,
    text: createTextService({ vault, policy, detection: detectionPorts, markKeys }),
    checkReady: createReadiness({ store, sealer, audit, tenants: [...tenants], now }),
    metrics,
    limiter: createRateLimiter(ratesOf(mesh, config.rateOverrides), () => performance.now()),
    policyState: () => policyStateOf(folder.status()),
    keyState: () => keys.state(),
    mesh,
    logger,
  });
  const sealingAudit = setInterval(() => void audit.sealIfDue(), SEAL_CHECK_MS);
  const work = {
    jobs: createDynamodbJobStore(table),
    audit,
    holder: Buffer.from(randomBytes(8)).toString('hex'),
    identity: identityOf(mesh, 'tokenizer'),
  };
  const stopReindexing = startReindexer({
    ...work,
    vault: vaultParts,
    pages: createDynamodbRecordPages(table),
    location: { dynamodb: clients.dynamodb, keysTableName: config.keysTableName },
    tenants: [...tenants],
    everyMs: REINDEX_CHECK_MS,
    logger,
  });
  const stopRewrapping = startRewrapper({
    ...work,
    sealer,
    store,
    versions: source,
    asks: createDynamodbRewrapAsks(table),
    rows: createDynamodbSealedRows(table),
    reseal: createDynamodbResealStore(table),
    referenceOf: (token) => audit.referenceOf(token),
    now,
    tenants: [...tenants],
    everyMs: REWRAP_CHECK_MS,
    logger,
  });
  const stopSweeping = startSweeper({
    ...work,
    store: createDynamodbSweepStore(table),
    now,
    everyMs: config.sweepSeconds * 1000,
    metrics,
    logger,
  });
  const { regionCode, heartbeatSeconds } = config;
  const beating = { table, regionCode, watch: replicas, everyMs: heartbeatSeconds * 1000 };
  const stopBeating = startHeartbeat({ ...beating, now, logger });
  stopOnSignal(async () => {
    folder.close();
    await app.close();
    clearInterval(sealingAudit);
    honey.close();
    stopReindexing();
    await Promise.all([stopRewrapping(), stopSweeping(), stopBeating()]);
    await audit.close();
    await lifeEvents?.close();
    await sealing.close();
    await tracing()?.flush();
  });
  await listenOnSocket(app, config.socketPath);
  logger.info('listening');
}

/** Files that are refused are no reason to stop: the policies before them hold, and somebody has to know. */
function tellPolicies(status: PolicyStatus, metrics: Metrics): void {
  const { revision, policies, refused } = status;
  metrics.policiesAre({ policies, isUpdateRefused: refused !== undefined });
  if (refused === undefined) logger.info({ revision, policies }, 'policies are in force');
  else logger.error({ revision, problem: refused.problem }, 'changed policy files were refused');
}

function policyStateOf({ revision, policies, refused }: PolicyStatus): PolicyState {
  const updateRefused = refused === undefined ? {} : { updateRefusedAt: refused.at.toISOString() };
  return { revision, policies, ...updateRefused };
}

/** What stands behind an outage, where that is known. */
function faultOf(error: unknown): string {
  return nameOf(error instanceof TokenmeshError ? (error.cause ?? error) : error);
}

try {
  await start();
} catch (error) {
  const code = error instanceof TokenmeshError ? error.code : nameOf(error);
  logger.fatal({ code, problem: describeError(error) }, 'could not start');
  process.exit(1);
}
