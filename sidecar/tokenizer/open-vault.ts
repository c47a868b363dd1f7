/**
 * The vault in one's own process, with no service and no mesh: for a Lambda function, a batch job, a
 * service of the security team.
 *
 * IAM: see the adapters that it is put together from, and docs/library.md.
 *
 * @module
 */

import { randomBytes as randomBytesOfSystem } from 'node:crypto';
import { TokenmeshError } from '../../errors/error.ts';
import { createAwsClients, type AwsClients } from './adapters/aws-clients.ts';
import { createCedarPolicy } from './adapters/cedar-policy.ts';
import { createDynamodbAuditLog } from './adapters/dynamodb-audit-log.ts';
import { createDynamodbJobStore } from './adapters/dynamodb-job-store.ts';
import { createDynamodbReferenceStore } from './adapters/dynamodb-reference-store.ts';
import { createDynamodbSweepStore } from './adapters/dynamodb-sweep-store.ts';
import { createDynamodbTokenStore } from './adapters/dynamodb-token-store.ts';
import { createKmsAuditMac } from './adapters/kms-audit-mac.ts';
import { compilePolicySet } from './adapters/policy-set.ts';
import { createAudit, type Audit } from './core/audit/audit.ts';
import { createAuditedVault } from './core/audit/audited-vault.ts';
import { auditWordsOf } from './core/audit/record.ts';
import { policiesOf, type Policy } from './core/policy.ts';
import { sealingHere } from './core/crypto/sealing.ts';
import { createReadiness } from './core/readiness.ts';
import { sweep, type Swept, type SweepingParts } from './core/sweeping.ts';
import { createVault, type Vault } from './core/vault.ts';
import { checkOptions, type CheckedOptions, type VaultOptions } from './vault-options.ts';
import { createVaultKeys } from './vault-keys.ts';
import { createVaultTokenizer, type VaultTokenizer } from './vault-tokenizer.ts';

/** Of the request that is served. */
export interface CallContext {
  /** For the audit: what finds the request in other logs again. */
  readonly requestId?: string;
}

export interface OpenVault {
  /**
   * The vault as one of its callers sees it. The vault believes the name: it is for this process to know
   * who asks.
   *
   * @throws {TokenmeshError} `ERR_CALLER_UNKNOWN` for a name that is not in the options.
   */
  as(caller: string, context?: CallContext): VaultTokenizer;
  /** @throws {TokenmeshError} what is not available: store, audit, or the key of a tenant. */
  checkReady(): Promise<void>;
  /**
   * Seals the audit if it is time, and waits for a seal that is being made. Done once a second by itself;
   * to be awaited at the end of each invocation where the process may stand still between them. Never rejects.
   */
  sealAudit(): Promise<void>;
  /**
   * Removes what has expired, and has the audit say so: to be called once a minute, by one process or by
   * many. `'busy'` where another one is at it. Nothing else removes it but the table's own TTL, after days.
   *
   * @throws {TokenmeshError} `ERR_STORE_UNAVAILABLE`, `ERR_AUDIT_UNAVAILABLE`; what was left is next time.
   */
  sweep(): Promise<Swept | 'busy'>;
  /** Seals the end of the audit. Nothing may be asked of the vault afterwards. */
  close(): Promise<void>;
}

const SEAL_CHECK_MS = 1_000;

/**
 * Puts the vault together. Nothing is asked of AWS yet: {@link OpenVault.checkReady} does.
 *
 * @throws {TokenmeshError} `ERR_VAULT_OPTIONS`; `ERR_POLICY_INVALID` for policies that Cedar does not take.
 */
export function openVault(options: VaultOptions): OpenVault {
  const checked = checkOptions(options, process.env['AWS_REGION']);
  const policy = policyOf(checked);
  const clients = checked.clients ?? createAwsClients();
  const audit = checked.audit === 'off' ? undefined : auditOf(checked, clients);
  const { vault, checkReady } = vaultOf(checked, clients, policy, audit);
  const sweeping = sweepingOf(checked, clients, audit);
  const sealing = setInterval(() => void audit?.sealIfDue(), SEAL_CHECK_MS).unref();
  return {
    as(name, context = {}) {
      const access = Object.hasOwn(checked.callers, name) ? checked.callers[name] : undefined;
      if (access === undefined) throw unknownCaller(checked);
      return createVaultTokenizer(vault, { ...context, identity: name, access });
    },
    checkReady,
    sealAudit: async () => await audit?.sealIfDue(),
    sweep: async () => await sweep(sweeping),
    async close() {
      clearInterval(sealing);
      await audit?.close();
      if (checked.clients !== undefined) return;
      clients.dynamodb.destroy();
      clients.kms.destroy();
    },
  };
}

/** What the grants of the callers permit, and what further policies do; the rest is denied. */
function policyOf({ callers, policies }: CheckedOptions): Policy {
  const grants = Object.entries(callers)
    .flatMap(([name, access]) => policiesOf({ nodeName: name, identity: name }, access))
    .join('\n');
  const further = policies.map(({ name, text }) => ({ name, text }));
  return createCedarPolicy(
    compilePolicySet(
      [{ name: 'callers', text: grants, isGenerated: true }, ...further],
      Object.keys(callers),
    ),
  );
}

function auditOf(options: CheckedOptions, clients: AwsClients): Audit {
  return createAudit({
    log: createDynamodbAuditLog({ ...options, client: clients.dynamodb }),
    mac: createKmsAuditMac({ ...options, ...clients }),
    identity: options.auditIdentity,
    now: clockOf(options),
    randomBytes: options.randomBytes ?? randomBytesOfSystem,
    onFault: (error) => tell(options, 'audit', error),
  });
}

interface VaultAndReadiness {
  readonly vault: Vault;
  readonly checkReady: () => Promise<void>;
}

function vaultOf(
  options: CheckedOptions,
  clients: AwsClients,
  policy: Policy,
  audit: Audit | undefined,
): VaultAndReadiness {
  const now = clockOf(options);
  const table = { client: clients.dynamodb, tableName: options.tokensTableName };
  const store = createDynamodbTokenStore({
    ...table,
    onFault: (error) => tell(options, 'store', error),
  });
  const { randomBytes = randomBytesOfSystem, regionCode } = options;
  const { sealer } = createVaultKeys({
    ...clients,
    keysTableName: options.keysTableName,
    kmsKeyArn: options.kmsKeyArn,
    work: sealingHere(randomBytes),
  });
  const plain = createVault({
    ...{ store, sealer, policy, now, randomBytes },
    references: createDynamodbReferenceStore(table),
    ...(regionCode === undefined ? {} : { regionCode }),
  });
  const tenants = [...new Set(Object.values(options.callers).flatMap((each) => each.tenants))];
  const words = auditWordsOf(Object.values(options.callers));
  const readiness = { store, sealer, tenants, now, ...(audit === undefined ? {} : { audit }) };
  return {
    vault: audit === undefined ? plain : createAuditedVault({ vault: plain, audit, now, words }),
    checkReady: createReadiness(readiness),
  };
}

const HOLDER_BYTES = 8;

function sweepingOf(options: CheckedOptions, clients: AwsClients, audit: Audit | undefined): SweepingParts {
  const table = { client: clients.dynamodb, tableName: options.tokensTableName };
  const { randomBytes = randomBytesOfSystem, auditIdentity } = options;
  return {
    store: createDynamodbSweepStore(table),
    jobs: createDynamodbJobStore(table),
    audit: audit ?? { record: async () => undefined },
    holder: Buffer.from(randomBytes(HOLDER_BYTES)).toString('hex'),
    identity: auditIdentity,
    now: clockOf(options),
  };
}

function clockOf({ now }: VaultOptions): () => Date {
  return now ?? (() => new Date());
}

function tell({ onFault }: VaultOptions, part: 'store' | 'audit', error: unknown): void {
  const known = error instanceof TokenmeshError ? (error.cause ?? error) : error;
  const name = known instanceof Error ? known.name : typeof known;
  if (onFault !== undefined) onFault({ part, name });
  else process.emitWarning(`the ${part} of the vault failed: ${name}`, 'TokenmeshWarning');
}

/** The name that was given is the caller's text, and is not shown. */
function unknownCaller({ callers }: CheckedOptions): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CALLER_UNKNOWN',
    message: `the vault has no such caller: expected one of ${Object.keys(callers).join(', ')}`,
    remedy: 'correct the name, or declare it in the option "callers"',
  });
}
