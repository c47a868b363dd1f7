import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { createDynamodbTokenStore } from '../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { sealerOf } from '../support/sealer-of.ts';
import { contextOf } from '../../sidecar/tokenizer/core/encryption-context.ts';
import type { FieldClass } from '../../sidecar/tokenizer/core/field-class.ts';
import type { SealedField, TokenRecord } from '../../sidecar/tokenizer/core/ports.ts';
import { newToken, sampleRecord } from '../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../support/emulated-vault.ts';

const HERE = import.meta.dirname;
const VALUES: readonly (readonly [string, FieldClass, string])[] = [
  ['card', 'pan', '4111111111111111'],
  ['holder', 'name', 'Zoë 日本'],
  ['note', 'text', 'a'.repeat(4096)],
];

let vault: EmulatedVault;
let python: string;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop', 'other']);
  const environment = await preparePythonEnvironment({
    projectRoot: join(HERE, '..', '..'),
    requirementsFile: join(HERE, 'requirements.txt'),
    name: 'interop',
    onProgress: () => undefined,
  });
  python = environment.python;
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

async function storedRecord(change: Partial<TokenRecord> = {}): Promise<TokenRecord> {
  const sealer = sealerOf(vault);
  const token = newToken();
  const fields = new Map<string, SealedField>();
  for (const [field, fieldClass, value] of VALUES) {
    const context = contextOf({ ...change, tenant: 'shop', token }, field, fieldClass);
    fields.set(field, { class: fieldClass, message: await sealer.seal(Buffer.from(value), context) });
  }
  const record = sampleRecord({ ...change, token, fields });
  await storeOf().insert(record);
  return record;
}

function storeOf() {
  return createDynamodbTokenStore({
    client: vault.dynamodb,
    tableName: vault.tokensTableName,
    onFault: () => undefined,
  });
}

const openWithPython = (tenant: string, token: string) => askPython({ tenant, token });

/** Runs the Python script, which is given where things are and nothing of ours besides. */
async function askPython(asked: object): Promise<{ code: number; values: unknown }> {
  const child = spawn(python, ['-B', join(HERE, 'open_record.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number]>;
  child.stdin.end(
    JSON.stringify({
      endpointUrl: vault.aws.endpointUrl,
      region: vault.aws.clientConfig.region,
      tokensTable: vault.tokensTableName,
      keysTable: vault.keysTableName,
      kmsKeyArn: vault.kmsKeyArn,
      ...asked,
    }),
  );
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, values: code === 0 ? JSON.parse(output) : complaint };
}

describe('a record of the table', () => {
  it('opens with the AWS Encryption SDK for Python', async () => {
    const { token } = await storedRecord();
    expect(await openWithPython('shop', token)).toEqual({
      code: 0,
      values: Object.fromEntries(VALUES.map(([field, , value]) => [field, value])),
    });
  }, 60_000);

  it('opens there under its revision where it is a pointer, and under no later one', async () => {
    const { token, ...rest } = await storedRecord({ kind: 'pointer', revision: 3 });
    expect(await openWithPython('shop', token)).toMatchObject({ code: 0 });
    expect(await storeOf().replace({ token, ...rest, revision: 4 }, 3)).toBe('replaced');
    const refused = await openWithPython('shop', token);
    expect(refused.code).not.toBe(0);
    expect(refused.values).toMatch(/encryption context/i);
  }, 60_000);

  it('does not open there under the token of another, either', async () => {
    const { fields } = await storedRecord();
    const moved = sampleRecord({ token: newToken(), fields });
    await storeOf().insert(moved);
    const refused = await openWithPython('shop', moved.token);
    expect(refused.code).not.toBe(0);
    expect(refused.values).toMatch(/encryption context/i);
  }, 60_000);
});

describe('a message of the AWS Encryption SDK for Python', () => {
  it.each([
    ['a card number', '4111111111111111'],
    ['text beyond ASCII', 'Zoë 日本'],
    ['more than one frame', 'a'.repeat(10_000)],
  ])(
    'opens with our sealer, under its own context and no other: %s',
    async (_, value) => {
      const context = contextOf({ tenant: 'shop', token: newToken() }, 'card', 'pan');
      const { code, values } = await askPython({ tenant: 'shop', value, context });
      expect(code).toBe(0);
      const message = Buffer.from(String(values), 'base64');
      const sealer = sealerOf(vault);
      expect(Buffer.from(await sealer.open(message, context)).toString()).toBe(value);
      for (const other of [
        { ...context, token: newToken() },
        { ...context, tenant: 'other' },
      ]) {
        await expect(sealer.open(message, other)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
      }
    },
    60_000,
  );
});
