/**
 * Two tokenizers in two regions, over tables of their own that hold the same rows, and a multi-region key:
 * what one wrote the other reads, with the replica of its own region. Rows are copied by the test, as a global
 * table would; the processes, KMS's two keys and the tables are each region's own.
 *
 * @module
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchWriteItemCommand, CreateTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, DisableKeyCommand, ReplicateKeyCommand } from '@aws-sdk/client-kms';
import { createAwsClients } from '../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { createBranchKey } from '../../../sidecar/tokenizer/adapters/branch-keys.ts';
import { rotateBranchKey } from '../../../sidecar/tokenizer/adapters/branch-key-versions.ts';
import { tokensTable } from '../../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { createFingerprintKey } from '../../../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../support/emulated-aws.ts';
import { tableOf, type EmulatedVault } from '../../support/emulated-vault.ts';
import { startTokenizerProcess, type TokenizerProcess } from '../../support/tokenizer-process.ts';

const PAN = '4111111111111111';
const NAMES = {
  tokensTableName: 'tokenmesh-tokens',
  keysTableName: 'tokenmesh-keys',
  auditTableName: 'tokenmesh-audit',
  fingerprintsTableName: 'tokenmesh-fingerprints',
};
/** The audit is each region's own. */
const REPLICATED = [NAMES.tokensTableName, NAMES.keysTableName, NAMES.fingerprintsTableName];

let aws: EmulatedAws;
let here: EmulatedVault;
let there: EmulatedVault;
let nearTokenizer: TokenizerProcess;
let farTokenizer: TokenizerProcess;

beforeAll(async () => {
  aws = await startEmulatedAws();
  here = await regionOf('us-east-1');
  const { KeyMetadata } = await here.kms.send(new CreateKeyCommand({ MultiRegion: true }));
  const kmsKeyArn = KeyMetadata?.Arn ?? '';
  here = { ...here, kmsKeyArn };
  there = { ...(await regionOf('eu-west-1')), kmsKeyArn: kmsKeyArn.replace('us-east-1', 'eu-west-1') };
  await here.kms.send(new ReplicateKeyCommand({ KeyId: kmsKeyArn, ReplicaRegion: 'eu-west-1' }));
  await createBranchKey(here, { tenant: 'shop' });
  await createFingerprintKey(here, 'shop');
  await replicate(here, there);
  nearTokenizer = await startTokenizerProcess(here, { TOKENMESH_BRANCH_KEY_SECONDS: '5' });
  farTokenizer = await startTokenizerProcess(there, { TOKENMESH_BRANCH_KEY_SECONDS: '5' });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await nearTokenizer?.stop();
  await farTokenizer?.stop();
  await aws?.stop();
});

async function regionOf(region: string): Promise<EmulatedVault> {
  const clientConfig = { ...aws.clientConfig, region };
  const clients = createAwsClients(clientConfig);
  await clients.dynamodb.send(new CreateTableCommand(tokensTable(NAMES.tokensTableName)));
  await clients.dynamodb.send(tableOf(NAMES.keysTableName, 'branch-key-id', 'type'));
  await clients.dynamodb.send(tableOf(NAMES.auditTableName, 'pk', 'sk'));
  await clients.dynamodb.send(tableOf(NAMES.fingerprintsTableName, 'pk', 'sk'));
  const { KeyMetadata } = await clients.kms.send(
    new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
  );
  return {
    ...clients,
    ...NAMES,
    kmsKeyArn: '',
    aws: { ...aws, clientConfig },
    auditKeyId: KeyMetadata?.Arn ?? '',
    stop: async () => {},
  };
}

/** Every row of one region into the other: what a global table has done once it has caught up. */
async function replicate(from: EmulatedVault, to: EmulatedVault): Promise<void> {
  for (const TableName of REPLICATED) {
    const { Items = [] } = await from.dynamodb.send(new ScanCommand({ TableName }));
    for (let start = 0; start < Items.length; start += 25) {
      const writes = Items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
      await to.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: writes } }));
    }
  }
}

async function tokenizeIn(tokenizer: TokenizerProcess, more = {}): Promise<string> {
  const { status, body } = await tokenizer.send('order', 'POST', '/v1/tokens', {
    fields: { card: { class: 'pan', value: PAN } },
    ...more,
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return (body as { token: string }).token;
}

async function revealIn(tokenizer: TokenizerProcess, token: string): Promise<unknown> {
  const { status, body } = await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token });
  const { fields, code } = body as { fields?: { card: { value: string } }; code?: string };
  return fields?.card.value ?? { status, code };
}

describe('a token of one region', () => {
  it('is unknown in the other until its row is there, and is read then with the replica key', async () => {
    const token = await tokenizeIn(nearTokenizer, { format: 'region' });
    expect(token).toMatch(/^TKN-IAD-/);
    expect(await revealIn(farTokenizer, token)).toEqual({ status: 404, code: 'ERR_TOKEN_UNKNOWN' });
    await replicate(here, there);
    expect(await revealIn(farTokenizer, token)).toBe(PAN);
  }, 60_000);

  it('goes the other way too, sealed under the branch key that the first region made', async () => {
    const token = await tokenizeIn(farTokenizer, { format: 'region' });
    expect(token).toMatch(/^TKN-DUB-/);
    await replicate(there, here);
    expect(await revealIn(nearTokenizer, token)).toBe(PAN);
  }, 60_000);

  it('is the same in both for a deterministic value, made in both before either has heard of the other', async () => {
    const deterministic = { kind: 'deterministic' };
    const tokens = [
      await tokenizeIn(nearTokenizer, deterministic),
      await tokenizeIn(farTokenizer, deterministic),
    ];
    expect(new Set(tokens).size).toBe(1);
    await replicate(here, there);
    expect(await revealIn(farTokenizer, tokens[0] ?? '')).toBe(PAN);
  }, 60_000);

  it('opens after a rotation in the other region, under the version that was made there', async () => {
    expect(await rotateBranchKey(there, { tenant: 'shop' })).toBe('rotated');
    await replicate(there, here);
    const token = await tokenizeIn(farTokenizer);
    await replicate(there, here);
    expect(await revealIn(nearTokenizer, token)).toBe(PAN);
  }, 60_000);

  it('is read on in one region when the key of the other is lost', async () => {
    const token = await tokenizeIn(nearTokenizer);
    await replicate(here, there);
    await here.kms.send(new DisableKeyCommand({ KeyId: here.kmsKeyArn }));
    const end = Date.now() + 30_000;
    while ((await revealIn(nearTokenizer, token)) === PAN && Date.now() < end);
    expect(await revealIn(nearTokenizer, token)).toEqual({ status: 503, code: 'ERR_KEY_UNAVAILABLE' });
    expect(await revealIn(farTokenizer, token)).toBe(PAN);
    expect(await tokenizeIn(farTokenizer)).toMatch(/^tkn_/);
  }, 60_000);
});
