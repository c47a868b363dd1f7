import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { createEgress } from '../../runtime/egress.ts';
import { maskPan } from '../../sample-apps/card-facts.ts';
import { TEST_CARDS } from '../../sample-apps/test-cards.ts';
import { startApp, type AppProcess } from '../support/app-process.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';
import { clearKey, createTestHierarchy, issueLeaf } from '../support/issue-certificate.ts';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

type Handler = (request: IncomingMessage, body: string) => Promise<Answer>;

let directory: string;
let aws: EmulatedAws;
let dynamodb: DynamoDBClient;
let egress: Server;
let processorAgent: Agent;
let processor: AppProcess;
const apps: Record<string, AppProcess> = {};

/** Stands where an app's Envoy would: one host for each backend. */
const backends: Record<string, Handler> = {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tm-apps-'));
  aws = await startEmulatedAws();
  dynamodb = new DynamoDBClient(aws.clientConfig);
  await createTable();
  await startEgress();
  await startProcessor();
  for (const name of ['order', 'paybill', 'outsider'])
    apps[name] = startApp(`sample-apps/${name}/main.ts`, settings(name));
  await Promise.all(Object.values(apps).map((app) => app.logged('app listens')));
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await Promise.all([...Object.values(apps), processor].map((app) => app.stop()));
  egress.closeAllConnections();
  egress.close();
  await processorAgent.close();
  dynamodb.destroy();
  await aws.stop();
  await rm(directory, { recursive: true, force: true });
});

function settings(name: string): Record<string, string> {
  const { credentials, region, endpoint } = aws.clientConfig;
  return {
    TOKENMESH_APP_SOCKET: join(directory, `${name}.sock`),
    TOKENMESH_EGRESS_SOCKET: join(directory, 'egress.sock'),
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

async function createTable(): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: 'CustomerOrderTable',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'orderId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'orderId', KeyType: 'HASH' }],
    }),
  );
}

async function startEgress(): Promise<void> {
  egress = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const handler = backends[incoming.headers.host ?? ''] ?? refuse;
      void handler(incoming, Buffer.concat(chunks).toString()).then(({ status, body }) => {
        outgoing.writeHead(status, { 'content-type': 'application/json' });
        outgoing.end(JSON.stringify(body));
      });
    });
  });
  egress.listen(join(directory, 'egress.sock'));
  await once(egress, 'listening');
}

const refuse: Handler = async () => ({ status: 403, body: {} });

async function startProcessor(): Promise<void> {
  const hierarchy = await createTestHierarchy('processor');
  const leaf = await issueLeaf(hierarchy.subordinate, 'processor.example');
  const files = { certificate: join(directory, 'processor.pem'), key: join(directory, 'processor.key') };
  await writeFile(files.certificate, leaf.certificate + hierarchy.subordinate.certificate);
  await writeFile(files.key, clearKey(leaf.key), { mode: 0o600 });
  processor = startApp('local/processor/main.ts', {
    PROCESSOR_CERTIFICATE: files.certificate,
    PROCESSOR_KEY: files.key,
    PROCESSOR_PORT: '0',
  });
  const { port } = await processor.logged('app listens');
  processorAgent = new Agent({
    connect: { ca: hierarchy.root.certificate, servername: 'processor.example' },
  });
  backends['processor'] = (incoming, body) => forward(`https://127.0.0.1:${Number(port)}`, incoming, body);
}

async function forward(origin: string, incoming: IncomingMessage, body: string): Promise<Answer> {
  const answer = await request(origin + (incoming.url ?? ''), {
    dispatcher: processorAgent,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': String(incoming.headers['idempotency-key']),
    },
    body,
  });
  return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
}

/** A tokenizer that keeps what it is given: what the apps make of its answers is what is looked at here. */
const vault = new Map<string, Record<string, { value: string }>>();
backends['tokenizer'] = async (incoming, body) => {
  const sent = JSON.parse(body) as { fields?: Record<string, { value: string }>; token?: string };
  if (incoming.url === '/v1/tokens' && sent.fields !== undefined) {
    const token = `tkn_${vault.size}`;
    vault.set(token, sent.fields);
    return { status: 201, body: { token, createdAt: new Date().toISOString() } };
  }
  const fields = Object.entries(vault.get(sent.token ?? '') ?? {});
  const plain = fields.map(([name, { value }]) => [name, { value, form: 'plain' }]);
  return { status: 200, body: { fields: Object.fromEntries(plain) } };
};

async function call(app: string, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const dispatcher = createEgress(join(directory, `${app}.sock`));
  const answer = await request(`http://${app}${path}`, {
    dispatcher,
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const found = { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  await dispatcher.close();
  return found;
}

describe('sample apps, as processes', () => {
  it('take, show and pay an order with each of the test cards', async () => {
    for (const { number, scheme } of TEST_CARDS) {
      const card = { number, expiry: '12/39', holder: 'Ada Example' };
      const items = [{ sku: 'lamp-oil', quantity: 2, unitPriceCents: 1250 }];
      const placed = await call('order', 'POST', '/orders', { items, currency: 'EUR', card });
      expect(placed).toMatchObject({ status: 201, body: { status: 'PLACED', card: { scheme } } });
      const orderId = String(placed.body['orderId']);
      const paid = await call('paybill', 'POST', '/payments', { orderId });
      expect(paid).toMatchObject({
        status: 200,
        body: { status: 'PAID', card: { masked: maskPan(number) } },
      });
      expect(await call('paybill', 'POST', '/payments', { orderId })).toEqual(paid);
      expect(await call('order', 'GET', `/orders/${orderId}`)).toMatchObject({ body: { status: 'PAID' } });
    }
  }, 60_000);

  it('leave no card number in the table, nor in what any of them printed', async () => {
    const { Items } = await dynamodb.send(new ScanCommand({ TableName: 'CustomerOrderTable' }));
    expect(Items).toHaveLength(TEST_CARDS.length);
    const printed = [processor, ...Object.values(apps)].map((app) => app.output());
    expect(printed.join('')).toContain('request answered');
    for (const { number } of TEST_CARDS) {
      const secret = number.slice(0, -4);
      expect(JSON.stringify(Items).includes(secret)).toBe(false);
      expect(printed.filter((text) => text.includes(secret))).toEqual([]);
    }
    expect(printed.filter((text) => text.includes('tkn_'))).toEqual([]);
  });

  it.each(['order', 'paybill', 'outsider'])('are alive and ready: %s', async (name) => {
    expect(await call(name, 'GET', '/healthz')).toMatchObject({ status: 200 });
    expect(await call(name, 'GET', '/readyz')).toMatchObject({ status: 200 });
  });

  it('attempt everything through the egress, and are refused what it refuses', async () => {
    const tokenizer = backends['tokenizer'];
    backends['tokenizer'] = refuse;
    const { status, body } = await call('outsider', 'POST', '/attempts');
    if (tokenizer !== undefined) backends['tokenizer'] = tokenizer;
    expect(status).toBe(200);
    expect(body).toMatchObject({ refused: (body['attempts'] as unknown[]).length, allowed: 0 });
  });

  it('stop with code 0 on SIGTERM and take their socket with them', async () => {
    expect(await apps['outsider']?.stop()).toBe(0);
    await expect(stat(join(directory, 'outsider.sock'))).rejects.toThrow('ENOENT');
  });

  it.each(['sample-apps/order/main.ts', 'sample-apps/paybill/main.ts', 'local/processor/main.ts'])(
    'refuses to start without settings, and names them: %s',
    async (program) => {
      const app = startApp(program, {});
      expect(await app.exited).toBe(1);
      expect(app.output()).toContain('ERR_SETTINGS_INVALID');
    },
  );
});
