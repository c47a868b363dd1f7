import { createAwsClients } from '../sidecar/tokenizer/adapters/aws-clients.ts';
import { createDynamodbTokenStore } from '../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { readConfig } from '../sidecar/tokenizer/config.ts';
import type { FieldSealer, TokenStore } from '../sidecar/tokenizer/core/ports.ts';
import { createRandomPool } from '../sidecar/tokenizer/random-pool.ts';
import { SealingThreads } from '../sidecar/tokenizer/sealing-threads.ts';
import { createVaultKeys } from '../sidecar/tokenizer/vault-keys.ts';

export interface BareVault {
  readonly sealer: FieldSealer;
  readonly store: TokenStore;
  readonly randomBytes: (count: number) => Uint8Array;
}

function onFault(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
}

/** The sealer and the store as the tokenizer has them: sidecar/tokenizer/main.ts, and nothing around them. */
export function openBareVault(): BareVault {
  const config = readConfig(process.env);
  const clients = createAwsClients();
  const randomBytes = createRandomPool();
  const work = new SealingThreads({ threads: config.sealingThreads, randomBytes, onFault });
  const { sealer } = createVaultKeys({ ...clients, ...config, work });
  const table = { client: clients.dynamodb, tableName: config.tokensTableName };
  return { sealer, randomBytes, store: createDynamodbTokenStore({ ...table, onFault }) };
}
