/**
 * The order history in a real server of MySQL's protocol, over TLS.
 *
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection, type Pool, type RowDataPacket } from 'mysql2/promise';
import { DATABASE } from '../../local/mysql/database-server.ts';
import { findMysqlServer } from '../../local/mysql/find-server.ts';
import { createMigrationHandler } from '../../sample-apps/order-history/migrate-handler.ts';
import { migrateOrderHistory } from '../../sample-apps/order-history/migrations.ts';
import { BY_IAM, userStatements } from '../../sample-apps/order-history/users.ts';
import { createMysqlOrderStore } from '../../sample-apps/order/adapters/mysql-order-store.ts';
import { createMysqlPaymentStore } from '../../sample-apps/paybill/adapters/mysql-payment-store.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { newOrder, orderStoreContract } from '../contracts/order-store.contract.ts';
import { paymentStoreContract } from '../contracts/payment-store.contract.ts';
import {
  DATABASE_DEADLINE_MS,
  startDatabaseUnderTest,
  USERS,
  type DatabaseUnderTest,
} from '../support/database-under-test.ts';
import { issueCertificate } from '../support/issue-certificate.ts';
import { command } from '../support/running-mesh.ts';

const UNAVAILABLE = { code: 'ERR_ORDERS_UNAVAILABLE' };

let database: DatabaseUnderTest;
let orderPool: Pool;
let paybillPool: Pool;
let root: Connection;

beforeAll(async () => {
  database = await startDatabaseUnderTest();
  orderPool = database.open(USERS.order);
  paybillPool = database.open(USERS.paybill);
  root = await createConnection({ socketPath: database.socketPath, user: 'root', database: DATABASE });
}, DATABASE_DEADLINE_MS);

afterAll(async () => {
  await root.end();
  await orderPool.end();
  await paybillPool.end();
  await database.stop();
});

const orders = () => createMysqlOrderStore(orderPool);
const payments = () => createMysqlPaymentStore(paybillPool);

orderStoreContract('MySQL', orders);
paymentStoreContract('MySQL', () => ({ orders: orders(), payments: payments() }));

/** Runs work with a pool of its own. */
async function withPool<Result>(pool: Pool, work: (pool: Pool) => Promise<Result>): Promise<Result> {
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

describe('a connection to the database', () => {
  it('is under TLS 1.3 or 1.2', async () => {
    const [[row]] = await orderPool.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
    expect(row?.['Value']).toMatch(/^TLSv1\.[23]$/);
  });

  it('refuses a server under another CA', async () => {
    const { certificate } = await issueCertificate({ commonName: 'another root', isCa: true });
    await withPool(database.open(USERS.order, { ca: certificate }), async (pool) => {
      await expect(createMysqlOrderStore(pool).find(newOrder().orderId)).rejects.toMatchObject(UNAVAILABLE);
    });
  });

  it('refuses a server under the CAs of Amazon RDS that is none of theirs', async () => {
    const { ca: _ca, ...settings } = database.settings(USERS.order);
    const { openDatabase } = await import('../../sample-apps/order-history/database.ts');
    await withPool(openDatabase(settings), async (pool) => {
      await expect(createMysqlOrderStore(pool).find(newOrder().orderId)).rejects.toMatchObject(UNAVAILABLE);
    });
  });

  it('refuses a server that proves another name', async () => {
    const other = await startDatabaseUnderTest('another-database.example');
    try {
      await withPool(other.open(USERS.order), async (pool) => {
        expect(await codeOf(pool.query('SELECT 1'))).toBe('HANDSHAKE_SSL_ERROR');
        await expect(createMysqlOrderStore(pool).find(newOrder().orderId)).rejects.toMatchObject(UNAVAILABLE);
      });
    } finally {
      await other.stop();
    }
  });

  it('is refused by the server where it is not encrypted', async () => {
    const { port, user } = database.settings(USERS.order);
    const plain = createConnection({ host: 'localhost', port, user, password: USERS.order.password });
    expect(await codeOf(plain)).toMatch(/^ER_(?:ACCESS_DENIED_ERROR|SECURE_TRANSPORT_REQUIRED)$/);
  });

  it('ends within its deadline where the server has stopped answering, and is good again afterwards', async () => {
    await orders().insert(newOrder());
    process.kill(database.pid, 'SIGSTOP');
    try {
      await expect(orders().find(newOrder().orderId)).rejects.toMatchObject(UNAVAILABLE);
      await expect(orders().insert(newOrder())).rejects.toMatchObject(UNAVAILABLE);
    } finally {
      process.kill(database.pid, 'SIGCONT');
    }
    const order = newOrder();
    expect(await orders().insert(order)).toBe('stored');
    expect(await orders().find(order.orderId)).toMatchObject({ orderId: order.orderId });
  });
});

describe('the tables of the order history', () => {
  it('take a token and never a card number in its place', async () => {
    const pan = newOrder({ token: '4111111111111111' });
    await expect(orders().insert(pan)).rejects.toMatchObject(UNAVAILABLE);
    const whole = newOrder({ card: { scheme: 'visa', lastFour: '4111111111111111' } });
    await expect(orders().insert(whole)).rejects.toMatchObject(UNAVAILABLE);
    expect(await orders().find(pan.orderId)).toBeUndefined();
    expect(await orders().find(whole.orderId)).toBeUndefined();
  });

  it('keep nothing of an order whose lines could not be written', async () => {
    const order = newOrder({ items: [{ sku: 'x'.repeat(41), quantity: 1, unitPriceCents: 1 }] });
    await expect(orders().insert(order)).rejects.toMatchObject(UNAVAILABLE);
    expect(await orders().find(order.orderId)).toBeUndefined();
  });

  it('take what looks like SQL as the text that it is', async () => {
    const order = newOrder();
    await orders().insert(order);
    expect(await orders().find("' OR '1'='1")).toBeUndefined();
    expect(await payments().find(`${order.orderId}' -- `)).toBeUndefined();
  });

  it('let order neither change nor remove, and paybill write nothing but the payment', async () => {
    const order = newOrder();
    await orders().insert(order);
    const where = `WHERE order_id = '${order.orderId}'`;
    const attempts = [
      orderPool.query(`UPDATE orders SET total_cents = 1 ${where}`),
      orderPool.query(`DELETE FROM orders ${where}`),
      paybillPool.query(`UPDATE orders SET total_cents = 1 ${where}`),
      paybillPool.query(`UPDATE orders SET token = 'tkn_other' ${where}`),
      paybillPool.query(`SELECT * FROM order_items ${where}`),
      paybillPool.query(`DELETE FROM orders ${where}`),
      orderPool.query('CREATE TABLE mine (id INT)'),
    ];
    const codes = await Promise.all(attempts.map(codeOf));
    expect(codes.filter((code) => !/^ER_(?:TABLE|COLUMN)ACCESS_DENIED_ERROR$/.test(String(code)))).toEqual(
      [],
    );
    expect((await orders().find(order.orderId))?.totalCents).toBe(order.totalCents);
  });
});

describe('the migrations', () => {
  it('have nothing to do where they were done, also by two at once', async () => {
    const again = await Promise.all(
      [root, root].map(async () => {
        const connection = await createConnection({
          socketPath: database.socketPath,
          user: 'root',
          database: DATABASE,
        });
        const done = await migrateOrderHistory(connection, DATABASE);
        await connection.end();
        return done;
      }),
    );
    expect(again).toEqual([[], []]);
  });

  it('are a command, for a user who may make tables', async () => {
    await root.query('CREATE DATABASE orders_anew');
    await root.query("CREATE USER 'owner'@'%' IDENTIFIED BY 'owner-of-a-test' REQUIRE SSL");
    await root.query("GRANT ALL ON orders_anew.* TO 'owner'@'%'");
    const environment = {
      ORDER_DB_HOST: 'localhost',
      ORDER_DB_PORT: String(database.settings(USERS.order).port),
      ORDER_DB_NAME: 'orders_anew',
      ORDER_DB_USER: 'owner',
      ORDER_DB_AUTH: 'password',
      ORDER_DB_PASSWORD: 'owner-of-a-test',
      ORDER_DB_CA_FILE: database.caFile,
    };
    const migrate = async (changes = {}) =>
      await command(process.execPath, ['sample-apps/order-history/migrate.ts'], {
        ...environment,
        ...changes,
      });
    expect(await migrate()).toMatchObject({ code: 0, stdout: 'done: 1 orders\ndone: 2 order-items\n' });
    expect(await migrate()).toMatchObject({ code: 0, stdout: 'nothing to do\n' });
    const refused = await migrate({ ORDER_DB_USER: 'order_app', ORDER_DB_PASSWORD: USERS.order.password });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('got ER_DBACCESS_DENIED_ERROR; mend what it names');
    expect(refused.stderr).not.toContain(USERS.order.password);
    expect((await migrate({ ORDER_DB_HOST: '127.0.0.1' })).stderr).toContain(
      'ORDER_DB_HOST: expected a host name',
    );
  });

  it('are done by a function in a deployment, which makes a user for each app, and may be run again', async () => {
    await root.query('CREATE DATABASE deployed');
    await root.query("CREATE USER 'deployer'@'%' IDENTIFIED BY 'deployer-of-a-test' REQUIRE SSL");
    await root.query("GRANT ALL ON deployed.* TO 'deployer'@'%' WITH GRANT OPTION");
    await root.query("GRANT CREATE USER ON *.* TO 'deployer'@'%'");
    const log = captureLog();
    const migrate = createMigrationHandler({
      environment: {
        ORDER_DB_HOST: 'localhost',
        ORDER_DB_PORT: String(database.settings(USERS.order).port),
        ORDER_DB_NAME: 'deployed',
        ORDER_DB_CA_FILE: database.caFile,
      },
      readOwner: async () => JSON.stringify({ username: 'deployer', password: 'deployer-of-a-test' }),
      identifiedBy: (app) => `BY '${USERS[app].password}'`,
      logger: log.logger,
    });
    await migrate();
    await migrate();
    expect(log.lines().map(({ done }) => done)).toEqual([['1 orders', '2 order-items'], []]);
    expect(log.text()).not.toContain('of-a-test');
    await withPool(database.open(USERS.order, { database: 'deployed' }), async (pool) => {
      const order = newOrder();
      expect(await createMysqlOrderStore(pool).insert(order)).toBe('stored');
      expect(await codeOf(pool.query("UPDATE orders SET payment_status = 'PAID'"))).toMatch(/^ER_.*DENIED/);
    });
  });

  it('make users that RDS knows by IAM alone, over TLS', () => {
    const made = userStatements('orders', () => BY_IAM).filter((each) => each.startsWith('CREATE USER'));
    expect(made).toEqual(
      ['order_app', 'paybill_app'].map(
        (name) =>
          `CREATE USER IF NOT EXISTS '${name}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL`,
      ),
    );
  });

  it('refuse to go on where one was changed after it was done', async () => {
    await root.query("UPDATE order_history_migrations SET md5 = 'another' WHERE version = 1");
    await expect(migrateOrderHistory(root, DATABASE)).rejects.toMatchObject({ code: 'ERR_MIGRATION_FAILED' });
  });
});

describe('a server that is not there', () => {
  it('is named, with what to install', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'tm-none-'));
    await expect(findMysqlServer({ MYSQLD: join(empty, 'mysqld') })).rejects.toMatchObject({
      code: 'ERR_MYSQL_MISSING',
    });
    await rm(empty, { recursive: true });
  });
});
