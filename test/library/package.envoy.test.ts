import { createServer, type Server } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { CreateTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateAliasCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { testCard } from '../../sample-apps/test-cards.ts';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { openAudit } from '../../sidecar/tokenizer/open-audit.ts';
import { PREPARE_DEADLINE_MS } from '../support/emulated-aws.ts';
import { startEmulatedVault, tableOf, type EmulatedVault } from '../support/emulated-vault.ts';
import { ROOT, textOf } from '../support/documents.ts';
import {
  compile,
  filesIn,
  packLibrary,
  run,
  type Ended,
  type PackedLibrary,
} from '../support/packed-library.ts';

// Each test starts processes.
jest.setTimeout(60_000);

const PAN = testCard('visa', 16).number;
const CARD = { number: PAN, expiry: '12/39', holder: 'Ada Byron' };
const ORDER = { totalCents: 1999, currency: 'EUR', card: CARD };
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

let vault: EmulatedVault;
let library: PackedLibrary;
let processor: Server;
const charges: unknown[] = [];

beforeAll(async () => {
  [vault, library] = await Promise.all([startEmulatedVault(['shop']), packLibrary()]);
  await vault.kms.send(
    new CreateAliasCommand({ AliasName: 'alias/tokenmesh-audit', TargetKeyId: vault.auditKeyId }),
  );
  await vault.dynamodb.send(new CreateTableCommand(tokensTable('CreditCardTokenizerTable')));
  await vault.dynamodb.send(tableOf('CustomerOrderTable', 'orderId'));
  processor = createServer((request, response) => {
    void json(request).then((body) => {
      charges.push({ ...(body as object), idempotencyKey: request.headers['idempotency-key'] });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => void processor.listen(0, '127.0.0.1', resolve));
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  processor.close();
  await library.remove();
  await vault.stop();
});

function environment(): Record<string, string> {
  return {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: vault.aws.endpointUrl,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    TOKENMESH_KMS_KEY_ARN: vault.kmsKeyArn,
    TOKENMESH_AUDIT_KEY_ID: vault.auditKeyId,
    PROCESSOR_URL: `http://127.0.0.1:${(processor.address() as AddressInfo).port}/charges`,
    NODE_PATH: library.modules,
  };
}

/** An event of a REST API's proxy integration. */
function proxyEvent(path: string, body: unknown, pathParameters: object | null = null): object {
  return {
    resource: path.replace(/[\da-f]{8}-[\da-f-]+/, '{orderId}'),
    path,
    httpMethod: 'POST',
    headers: { accept: '*/*', 'content-type': 'application/json', host: 'api.example' },
    multiValueHeaders: { accept: ['*/*'] },
    queryStringParameters: null,
    pathParameters,
    stageVariables: null,
    requestContext: {
      requestId: `request-of-${path.split('/').at(-1) ?? ''}`,
      stage: 'live',
      httpMethod: 'POST',
    },
    body: body === null ? null : JSON.stringify(body),
    isBase64Encoded: false,
  };
}

interface Answer {
  readonly statusCode: number;
  readonly body: Record<string, unknown>;
  readonly ended: Ended;
}

async function invoke(name: string, event: object, env: Record<string, string> = {}): Promise<Answer> {
  const runtime = join(ROOT, 'test', 'support', 'lambda-runtime.ts');
  const ended = await run(process.execPath, [runtime, join(library.functions, `${name}.js`)], {
    cwd: library.functions,
    env: { ...environment(), ...env },
    input: JSON.stringify(event),
  });
  if (ended.code !== 0) throw new Error(`the function ended with ${ended.code}: ${ended.stderr}`);
  const { statusCode, body } = JSON.parse(ended.stdout) as { statusCode: number; body: string };
  return { statusCode, body: JSON.parse(body) as Record<string, unknown>, ended };
}

async function rowsOf(TableName: string): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await vault.dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
  return Items;
}

/** All bytes of a table as text, so that a value in a binary attribute shows too. */
async function dumpOf(tableName: string): Promise<string> {
  return JSON.stringify(await rowsOf(tableName), (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
}

const examples = (): string[] =>
  [...textOf('docs/library.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);

describe('the package', () => {
  it('holds JavaScript, types, policies, the page of the dashboard and two documents, and no test', async () => {
    const files = await filesIn(library.directory);
    const others = files.filter((file) => !/^dist\/.*\.(?:js|d\.ts)$/.test(file));
    expect(others).toEqual([
      'LICENSE',
      'README.md',
      'dist/operator/dashboard/page/favicon.svg',
      'dist/operator/dashboard/page/index.html',
      'dist/operator/dashboard/page/page.css',
      'dist/sidecar/tokenizer/policies/addresses.cedar',
      'dist/sidecar/tokenizer/policies/separated-duties.cedar',
      'dist/sidecar/tokenizer/policies/tokenizer.cedarschema',
      'docs/errors.md',
      'docs/library.md',
      'package.json',
    ]);
    // A honey token of the operator's command holds a test card.
    const stranger = /\.test\.|\/(?:tests?|fakes|contracts|local)\/|\/sample-apps\/(?!test-cards\.)/;
    expect(stranger.test('dist/sample-apps/order/main.js')).toBe(true);
    expect(files.filter((file) => stranger.test(file))).toEqual([]);
  });

  it('holds no key, no credential and no path of this machine', async () => {
    const secret =
      /PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|aws_secret_access_key\s*=/i;
    expect(secret.test(['-----BEGIN', 'PRIVATE KEY-----', 'MIIEvQIBADANBgkq'].join(' '))).toBe(true);
    const files = await filesIn(library.directory);
    const telling = files.filter((file) => {
      const text = readFileSync(join(library.directory, file), 'utf8');
      return secret.test(text) || text.includes(ROOT);
    });
    expect(telling).toEqual([]);
  });

  it('has types that a strict project resolves, and that refuse what is wrong', async () => {
    const program = `import { isToken, openVault, TokenmeshError, type Tokenizer } from 'tokenmesh/tokenizer';
export const ask = async (tokenizer: Tokenizer) => (await tokenizer.detokenize({ token: 'x' }))['number']?.value ?? null;
export const format: 'uuid' | undefined = isToken('x')?.format === 'uuid' ? 'uuid' : undefined;
export const code = (error: unknown) => (error instanceof TokenmeshError ? error.code.startsWith('ERR_') : false);
// @ts-expect-error
openVault({ callers: {} });
`;
    expect(await compile(library, { 'program.ts': program })).toMatchObject({ code: 0, stdout: '' });
    const wrong = program.replace('// @ts-expect-error', '//');
    expect((await compile(library, { 'wrong.ts': wrong })).stdout).toContain(
      "Property 'kmsKeyArn' is missing",
    );
  });

  it('exports nothing but what is documented', async () => {
    const script = "import * as all from 'tokenmesh/tokenizer'; console.log(Object.keys(all).join(' '))";
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: library.project,
    });
    const names = stdout.trim().split(' ');
    expect(names).toContain('openVault');
    expect(names.filter((name) => !textOf('docs/library.md').includes(name))).toEqual([]);
    const inner = "await import('tokenmesh/dist/sidecar/tokenizer/core/vault.js')";
    const refused = await run(process.execPath, ['--input-type=module', '--eval', inner], {
      cwd: library.project,
    });
    expect(refused.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it("has the operator's command", async () => {
    const help = await run('npx', ['--no-install', 'tokenmesh', '--help'], { cwd: library.project });
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: tokenmesh [^]*verify/) });
    const scan = await run('npx', ['--no-install', 'tokenmesh', 'scan', '-'], {
      cwd: library.project,
      input: `card ${PAN}\n`,
    });
    expect(scan).toMatchObject({ code: 1, stdout: expect.stringContaining(': Visa ') });
  });
});

describe('the functions over the layer', () => {
  let orderId = '';
  let token = '';

  it('are compiled from the example with nothing but the package', async () => {
    const folder = join(ROOT, 'sample-apps', 'lambda-layer');
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const sources = Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
    expect(await compile(library, sources)).toMatchObject({ code: 0, stdout: '' });
  });

  it("take an order, and put a UUID in the card's place", async () => {
    const { statusCode, body, ended } = await invoke('place-order', proxyEvent('/orders', ORDER));
    expect({ statusCode, body }).toEqual({
      statusCode: 201,
      body: {
        orderId: expect.stringMatching(UUID),
        totalCents: 1999,
        currency: 'EUR',
        card: { lastFour: '1111' },
      },
    });
    expect(ended.stdout + ended.stderr).not.toContain(PAN);
    orderId = String(body['orderId']);
    const [order, ...others] = await rowsOf('CustomerOrderTable');
    expect(others).toEqual([]);
    token = (order as { token: { S: string } }).token.S;
    expect(token).toMatch(UUID);
    expect(order).toMatchObject({
      orderId: { S: orderId },
      status: { S: 'PLACED' },
      card: { M: { lastFour: { S: '1111' } } },
    });
  });

  it("keep the card in the security team's table alone, sealed", async () => {
    const records = (await rowsOf('CreditCardTokenizerTable')).filter(
      (row) => !JSON.stringify(row).includes('audit#heads'),
    );
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).toContain(token);
    for (const table of ['CreditCardTokenizerTable', 'CustomerOrderTable', vault.auditTableName]) {
      expect(await dumpOf(table)).not.toContain(PAN);
    }
    expect(await rowsOf(vault.tokensTableName)).toEqual([]);
  });

  it('turn the token back for the processor, and show nobody', async () => {
    const event = proxyEvent(`/orders/${orderId}/payment`, null, { orderId });
    const { statusCode, body, ended } = await invoke('pay-order', event);
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: { orderId, status: 'PAID' } });
    expect(charges).toEqual([{ amountCents: 1999, currency: 'EUR', card: CARD, idempotencyKey: orderId }]);
    expect(ended.stdout + ended.stderr).not.toContain(PAN);
    expect(await rowsOf('CustomerOrderTable')).toMatchObject([{ status: { S: 'PAID' } }]);
  });

  it('leave an audit that verifies, with who asked, for what, in which request', async () => {
    const audit = openAudit({
      tokensTableName: 'CreditCardTokenizerTable',
      auditKeyId: vault.auditKeyId,
      clients: { dynamodb: vault.dynamodb, kms: vault.kms },
    });
    expect(await audit.latest(10)).toMatchObject([
      { identity: 'place-order', operation: 'tokenize', outcome: 'ok', requestId: 'request-of-orders' },
      {
        identity: 'pay-order',
        operation: 'detokenize',
        outcome: 'ok',
        purpose: 'payment',
        requestId: 'request-of-payment',
      },
    ]);
    expect(await audit.verify()).toMatchObject({
      ok: true,
      records: 2,
      problems: [],
      rows: { problems: [] },
    });
  });

  it.each<[string, string, object, number, string, Record<string, string>]>([
    [
      'a card number that is none',
      'place-order',
      { ...ORDER, card: { ...CARD, number: '4111111111111112' } },
      400,
      'ERR_VALUE_INVALID',
      {},
    ],
    [
      'an order without a card',
      'place-order',
      { totalCents: 1, currency: 'EUR' },
      400,
      'ERR_REQUEST_INVALID',
      {},
    ],
    ['a body that is no object', 'place-order', [], 400, 'ERR_REQUEST_INVALID', {}],
    [
      'a processor without TLS',
      'pay-order',
      {},
      500,
      'ERR_SETTINGS_INVALID',
      { PROCESSOR_URL: 'http://processor.example/' },
    ],
    [
      'to go on without KMS',
      'place-order',
      ORDER,
      503,
      'ERR_KEY_UNAVAILABLE',
      { AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:1' },
    ],
  ])('refuse %s, with a code and no digits', async (_what, name, body, status, code, env) => {
    const {
      statusCode,
      body: problem,
      ended,
    } = await invoke(name, proxyEvent('/orders', body, { orderId }), env);
    expect({ statusCode, code: problem['code'] }).toEqual({ statusCode: status, code });
    expect(ended.stdout + ended.stderr).not.toMatch(/\d{12}/);
  });
});

describe('the examples of docs/library.md', () => {
  it('are compiled, and do what they say', async () => {
    const [openingAVault = '', makingAKey = '', ...others] = examples();
    expect(others).toHaveLength(2);
    const program = 'import process from "node:process";\n';
    const sources = { 'a-vault.ts': program + openingAVault, 'a-key.ts': program + makingAKey };
    const rest = Object.fromEntries(others.map((code, index) => [`other-${index}.ts`, code]));
    expect(await compile(library, { ...sources, ...rest })).toMatchObject({ code: 0, stdout: '' });
    const env = { ...environment(), CARD_KEY_ARN: vault.kmsKeyArn };
    const layer = join(ROOT, 'test', 'support', 'layer-modules.ts');
    const example = async (file: string): Promise<Ended> =>
      await run(process.execPath, ['--import', layer, join(library.functions, file)], {
        cwd: library.functions,
        env,
      });
    expect((await example('a-key.js')).stdout).toContain('exists\n');
    expect((await example('a-vault.js')).stdout).toContain(`plain ${'*'.repeat(12)}1111\n`);
    expect((await example('other-1.js')).stdout).toMatch(
      /^true \d+ \[ 'detokenize ok', 'detokenize ok' \]\n/,
    );
  });
});
