/**
 * The whole mesh with its orders in MySQL, and nowhere an address in what an app is told.
 *
 * @module
 */

import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { cardsFor, orderAndPay } from '../../local/traffic.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { isAsShown, sessionsIn } from '../support/console-session.ts';
import { textOf } from '../support/documents.ts';
import { command, leftOf, StartedRun } from '../support/running-mesh.ts';
import { shopOf } from '../../local/shop-of.ts';

const DEADLINE_MS = 400_000;

interface SeenOrder {
  readonly orders: RowDataPacket[];
  readonly text: string;
}

async function ordersIn(directory: string): Promise<SeenOrder> {
  const root = await createConnection({
    socketPath: join(directory, 'database', 'sql.sock'),
    user: 'root',
    database: 'orders',
  });
  const [orders] = await root.query<RowDataPacket[]>('SELECT * FROM orders');
  const [items] = await root.query<RowDataPacket[]>('SELECT * FROM order_items');
  await root.end();
  return { orders, text: JSON.stringify([orders, items]) };
}

function environmentOf(pid: number | undefined): Map<string, string> {
  const text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  return new Map(
    text
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** An IPv4 address, or a port behind a host. */
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b|:\d{4,5}\b/;

describe('npm start -- --order-store mysql', () => {
  it(
    'places and pays orders through the gateway that are in MySQL alone, as tokens',
    async () => {
      const run = new StartedRun(undefined, ['--order-store', 'mysql'], { NO_COLOR: '1' });
      try {
        await run.says('stop       Ctrl-C', DEADLINE_MS);
        const { state } = run;
        const [shown] = sessionsIn(textOf('docs/order-history.md'));
        expect(shown?.command).toBe('npm start -- --order-store mysql');
        const printed = run.output.split('\n');
        expect(
          isAsShown({ ...shown, shown: shown?.shown ?? [], command: '', printed, code: 0 }) || printed,
        ).toBe(true);
        const shop = await shopOf(state);
        const [card] = cardsFor(1);
        if (card === undefined) throw new Error('expected a test card');
        const { orderId } = await orderAndPay(shop, card);
        await shop.dispatcher.close();

        const { orders, text } = await ordersIn(state.directory);
        const order = orders.find((each) => each['order_id'] === orderId);
        expect(order).toMatchObject({ payment_status: 'PAID', card_last_four: card.number.slice(-4) });
        expect(order?.['token']).toMatch(/^tkn_/);
        expect(cardsFor(28).filter(({ number }) => text.includes(number))).toEqual([]);

        const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
        const { Count } = await dynamodb.send(new ScanCommand({ TableName: state.tables.orders }));
        expect(Count).toBe(0);

        for (const name of ['order', 'paybill', 'outsider', 'tokenizer']) {
          const environment = environmentOf(state.nodes.find((node) => node.name === name)?.pids.app);
          expect(environment.size).toBeGreaterThan(5);
          const addressed = [...environment]
            .filter(([, value]) => ADDRESS.test(value.replaceAll(/arn:aws:\S+/g, '')))
            .map(([key]) => key);
          // Of the emulator alone: on AWS the SDK finds each service by its name.
          expect({ name, addressed }).toEqual({ name, addressed: ['AWS_ENDPOINT_URL'] });
        }
        expect(readdirSync(state.directory)).toContain('database');
        expect(await run.end()).toBe(130);
        expect(leftOf(state)).toEqual([]);
      } finally {
        await run.end();
      }
    },
    DEADLINE_MS,
  );

  it(
    'says what to install where no server is',
    async () => {
      const { code, stderr } = await command(
        'npm',
        ['start', '--silent', '--', '--order-store', 'mysql', '--once'],
        {
          MYSQLD: '/nowhere/mysqld',
          TOKENMESH_STATE: join(tmpdir(), `tokenmesh-none-${process.pid}.json`),
        },
      );
      expect(code).toBe(1);
      expect(stderr).toContain('no server of MySQL was found');
      expect(stderr).toContain('apt-get install');
    },
    DEADLINE_MS,
  );
});
