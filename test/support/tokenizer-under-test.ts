import { startAuditUnderTest } from './audit-under-test.ts';
import { captureLog, type CapturedLog } from '../fakes/captured-log.ts';
import { MemoryFieldSealer } from '../fakes/memory-field-sealer.ts';
import { MemoryFingerprintIndex, MemoryFingerprintKeys } from '../fakes/memory-fingerprints.ts';
import { MemoryIdempotencyStore } from '../fakes/memory-idempotency-store.ts';
import { MemoryMarkKeys } from '../fakes/memory-mark-keys.ts';
import { MemoryReferenceStore } from '../fakes/memory-reference-store.ts';
import { MemoryTokenStore } from '../fakes/memory-token-store.ts';
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { IDENTITY_HEADER } from '../../runtime/http-server.ts';
import { createCedarPolicy } from '../../sidecar/tokenizer/adapters/cedar-policy.ts';
import { compileWithMesh, readPolicyFiles } from '../../sidecar/tokenizer/adapters/policy-files.ts';
import { SHIPPED_POLICIES_DIRECTORY } from '../../sidecar/tokenizer/adapters/policy-set.ts';
import type { Policy } from '../../sidecar/tokenizer/core/policy.ts';
import { createReadiness } from '../../sidecar/tokenizer/core/readiness.ts';
import { detectionPorts } from '../../sidecar/tokenizer/adapters/detection/detection-ports.ts';
import { createTextService } from '../../sidecar/tokenizer/core/text/text-service.ts';
import { vaultAccesses } from '../../mesh/vault-access.ts';
import { createAuditedVault } from '../../sidecar/tokenizer/core/audit/audited-vault.ts';
import { auditWordsOf } from '../../sidecar/tokenizer/core/audit/record.ts';
import { createIdempotentVault } from '../../sidecar/tokenizer/core/idempotency.ts';
import { createMarkedVault } from '../../sidecar/tokenizer/core/marks/marked-vault.ts';
import { createVault } from '../../sidecar/tokenizer/core/vault.ts';
import { createRateLimiter, ratesOf, type RateOverrides } from '../../sidecar/tokenizer/core/rate-limit.ts';
import { createMetrics } from '../../sidecar/tokenizer/http/metrics.ts';
import { createTokenizerServer } from '../../sidecar/tokenizer/http/server.ts';

export interface TokenizerUnderTest {
  readonly app: FastifyInstance;
  readonly store: MemoryTokenStore;
  readonly sealer: MemoryFieldSealer;
  readonly idempotency: MemoryIdempotencyStore;
  readonly markKeys: MemoryMarkKeys;
  readonly clock: { now: Date };
  readonly log: CapturedLog;
  readonly audited: ReturnType<typeof startAuditUnderTest>;
  /** Back to an empty store that is up, at the time of the start. */
  reset(): void;
  /** Sends one request as a node of the mesh, or with no identity where `node` is undefined. */
  send(node: string | undefined, request: TestRequest): Promise<LightMyRequestResponse>;
}

export interface TestRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH';
  readonly url: string;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const LEASE_MS = 35_000;
const START = new Date('2026-03-04T05:06:07.008Z');

export interface TokenizerOptions {
  /** @default the shipped mesh's, with the shipped files */
  readonly policy?: Policy;
  readonly rates?: RateOverrides;
}

/** The policy as the service ships: what the mesh grants, within what the files forbid. */
export async function shippedPolicy(): Promise<Policy> {
  return createCedarPolicy(
    compileWithMesh(tokenizationMesh, await readPolicyFiles(SHIPPED_POLICIES_DIRECTORY)),
  );
}

/** The tokenizer's HTTP service over a store and a sealer in memory, with the shipped mesh and its policy. */
export async function startTokenizerUnderTest(options: TokenizerOptions = {}): Promise<TokenizerUnderTest> {
  const mesh = tokenizationMesh;
  const store = new MemoryTokenStore();
  const sealer = new MemoryFieldSealer(['shop']);
  const clock = { now: START };
  const log = captureLog();
  const now = (): Date => clock.now;
  const audited = startAuditUnderTest();
  // Every probe comes long after the last, so that none is answered from memory.
  let probes = 0;
  const probeTime = (): Date => new Date((probes += 1) * 60_000);
  const policy = options.policy ?? (await shippedPolicy());
  const fingerprints = { keys: new MemoryFingerprintKeys(), index: new MemoryFingerprintIndex() };
  const markKeys = new MemoryMarkKeys();
  const plain = createVault({
    ...{ markKeys, store, sealer, policy, now, randomBytes },
    references: new MemoryReferenceStore(store),
    fingerprints,
  });
  const idempotency = new MemoryIdempotencyStore();
  const idempotent = createIdempotentVault({
    ...{ vault: plain, store: idempotency, policy, mac: audited.mac, now, randomBytes },
    leaseMs: LEASE_MS,
  });
  const marked = createMarkedVault({ vault: idempotent, policy, keys: markKeys });
  const vault = createAuditedVault({
    vault: marked,
    audit: audited.audit,
    now,
    words: auditWordsOf(vaultAccesses(mesh)),
  });
  const app = await createTokenizerServer({
    vault,
    text: createTextService({ vault, policy, detection: detectionPorts, markKeys }),
    checkReady: createReadiness({ store, sealer, tenants: ['shop'], now: probeTime }),
    metrics: createMetrics({ process: false }),
    limiter: createRateLimiter(ratesOf(mesh, options.rates ?? {}), () => clock.now.getTime()),
    mesh,
    logger: log.logger,
  });
  return {
    app,
    store,
    sealer,
    idempotency,
    markKeys,
    clock,
    log,
    audited,
    reset: () => {
      store.records.clear();
      store.isDown = false;
      sealer.isDown = false;
      markKeys.isDown = false;
      audited.log.isDown = false;
      sealer.opened = 0;
      clock.now = START;
    },
    send: (node, request) =>
      app.inject({
        method: request.method ?? 'POST',
        url: request.url,
        headers: {
          ...(typeof request.body === 'string' ? { 'content-type': 'application/json' } : {}),
          ...(node === undefined ? {} : { [IDENTITY_HEADER]: `${node}.${mesh.name}.internal` }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { payload: request.body }),
      }),
  };
}
