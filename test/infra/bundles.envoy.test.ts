/**
 * The functions as they are bundled for AWS, each in a process of its own, against a running mesh.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { writeBundle, type Bundle } from '../../infra/constructs/bundle.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { bulkClients } from '../../operator/bulk-clients.ts';
import type { EdgeSettings } from '../../edge/config.ts';
import { ORDER_ROUTES } from '../../edge/order-routes.ts';
import { createS3Results } from '../../queue/adapters/s3-results.ts';
import { createPartSealer } from '../../queue/adapters/sealed-part.ts';
import { marksIn } from '../../sidecar/tokenizer/core/marks/mark.ts';
import { startDatabaseUnderTest } from '../support/database-under-test.ts';
import { edgeEvent } from '../support/edge-request.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { eventOf, PAN, partWith, recordWith } from '../support/queue-under-test.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;
const RUNTIME = join(import.meta.dirname, '..', 'support', 'lambda-runtime.ts');

/** Of a function at the edge that sees the body: "Quotas on Lambda@Edge" has 50 MB, zipped. */
const EDGE_BYTES_AT_MOST = 1_000_000;

const suite = meshOfSuite();
const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-bundles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bundle(name: string, what: Bundle): string {
  const output = join(folder, name);
  writeBundle(what, output);
  return join(output, 'index.mjs');
}

interface Ended {
  readonly code: number | null;
  /** What the handler answered: behind what it logged. */
  readonly answer: string;
  readonly stderr: string;
}

/** Nothing of the project is beside a bundle: it has to bring what it needs. */
function invoke(file: string, event: unknown, environment: Readonly<Record<string, string>>): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNTIME, file], {
    cwd: folder,
    input: JSON.stringify(event),
    env: { PATH: process.env['PATH'] ?? '', NODE_PATH: folder, ...environment },
    encoding: 'utf8',
  });
  return { code: status, answer: stdout.split('\n').at(-1) ?? '', stderr };
}

function awsEnvironment(): Record<string, string> {
  const { endpointUrl, region } = suite.state.aws;
  return {
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'emulated',
    AWS_SECRET_ACCESS_KEY: 'emulated',
  };
}

describe('the bundle of the function bulk', () => {
  it(
    'tokenizes what is in a message, and says which message has to come again',
    async () => {
      const { bulk, aws, nodes } = suite.state;
      const clients = bulkClients(aws.endpointUrl, aws.region);
      const endpoint = { endpoint: aws.endpointUrl, region: aws.region };
      const credentials = { accessKeyId: 'emulated', secretAccessKey: 'emulated' };
      const sealer = createPartSealer({ keyArn: bulk.keyArn, client: { ...endpoint, credentials } });
      const part = partWith({ items: [recordWith(PAN)] });
      const tokenizer = nodes.find(({ name }) => name === 'tokenizer')?.listener;
      const event = eventOf([{ body: await sealer.seal(part) }, { body: 'no part of anybody' }]);
      const ended = invoke(bundle('bulk', { entry: 'queue/handler.ts' }), event, {
        ...awsEnvironment(),
        TOKENMESH_BULK_KEY_ARN: bulk.keyArn,
        TOKENMESH_BULK_RESULTS_BUCKET: bulk.resultsBucket,
        TOKENMESH_TOKENIZER_ENDPOINT: `${tokenizer?.host}:${tokenizer?.port}`,
      });
      expect(ended.stderr).toBe('');
      expect(JSON.parse(ended.answer)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-2' }] });
      const [line] = await createS3Results({ client: clients.s3, bucket: bulk.resultsBucket }).read(part);
      expect(line).toMatchObject({ row: 1, token: expect.stringMatching(/^tkn_/) });
      const token = (line as { token: string }).token;
      const { document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });
      expect(document['fields']).toMatchObject({ number: { value: PAN } });
      clients.s3.destroy();
      clients.sqs.destroy();
    },
    DEADLINE_MS,
  );
});

describe('the bundle of the function at the edge', () => {
  it(
    'has its settings in it, and encrypts what the tokenizer of the mesh opens',
    async () => {
      const asked = await mesh(suite.run, ['edge', '-', '--settings']);
      const settings = { ...(JSON.parse(asked.stdout) as EdgeSettings), routes: ORDER_ROUTES };
      const file = bundle('edge', {
        entry: 'edge/handler.ts',
        options: {
          mainFields: ['module', 'main'],
          target: 'node22',
          define: { 'process.env.TOKENMESH_EDGE_SETTINGS': JSON.stringify(JSON.stringify(settings)) },
        },
      });
      expect(statSync(file).size).toBeLessThan(EDGE_BYTES_AT_MOST);
      // Lambda@Edge has no environment.
      const ended = invoke(file, edgeEvent(JSON.stringify({ card: { number: PAN } })), {});
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      const { body } = JSON.parse(ended.answer) as { body: { data: string } };
      expect(body.data).not.toContain(PAN);
      expect(marksIn(body.data)).toHaveLength(1);
      const { card } = JSON.parse(body.data) as { card: { number: string } };
      const made = await callAs(suite.state, 'order', 'POST', '/v1/tokens', {
        fields: { number: { class: 'pan', value: card.number } },
      });
      const revealed = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
        token: made.document['token'],
      });
      expect(revealed.document['fields']).toMatchObject({ number: { value: PAN } });
    },
    DEADLINE_MS,
  );
});

describe('the bundle of the migrations', () => {
  const opened: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of opened) await close();
  });

  it(
    'has its statements beside it, signs in as the owner, and makes the tables',
    async () => {
      const database = await startDatabaseUnderTest();
      opened.push(async () => await database.stop());
      const root = await createConnection({ socketPath: database.socketPath, user: 'root' });
      opened.unshift(async () => await root.end());
      await root.query('CREATE DATABASE bundled');
      await root.query("CREATE USER 'owner'@'%' IDENTIFIED BY 'owner-of-a-test' REQUIRE SSL");
      await root.query("GRANT ALL ON bundled.* TO 'owner'@'%' WITH GRANT OPTION");
      await root.query("GRANT CREATE USER ON *.* TO 'owner'@'%'");
      const { endpointUrl, region } = suite.state.aws;
      const { secretsManager } = emulatorClients(endpointUrl, region);
      const SecretString = JSON.stringify({ username: 'owner', password: 'owner-of-a-test' });
      const { ARN = '' } = await secretsManager.send(
        new CreateSecretCommand({ Name: 'rds-owner', SecretString }),
      );
      const file = bundle('migrations', {
        entry: 'sample-apps/order-history/migrate-handler.ts',
        folder: 'sample-apps/order-history/migrations',
      });
      expect(existsSync(join(folder, 'migrations', 'migrations', '001.do.orders.sql'))).toBe(true);
      const ended = invoke(
        file,
        {},
        {
          ...awsEnvironment(),
          ORDER_DB_HOST: 'localhost',
          ORDER_DB_PORT: String(database.settings({ name: '', password: '' }).port),
          ORDER_DB_NAME: 'bundled',
          ORDER_DB_CA_FILE: database.caFile,
          ORDER_DB_OWNER_SECRET_ARN: ARN,
        },
      );
      const [tables] = await root.query<RowDataPacket[]>('SHOW TABLES FROM bundled');
      expect(tables.flatMap((row) => Object.values(row))).toEqual([
        'order_history_migrations',
        'order_items',
        'orders',
      ]);
      // The users are there already: MariaDB has not the plugin by which RDS knows them, and does not ask for it then.
      expect(ended).toMatchObject({ code: 0, answer: 'null', stderr: '' });
    },
    DEADLINE_MS * 2,
  );
});
