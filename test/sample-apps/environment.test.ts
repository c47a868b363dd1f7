import { describe, expect, it } from '@jest/globals';
import { TokenmeshError } from '../../errors/error.ts';
import { readConfig as readProcessor } from '../../local/processor/config.ts';
import { readConfig as readOrder } from '../../sample-apps/order/config.ts';
import { readConfig as readOutsider } from '../../sample-apps/outsider/config.ts';
import { readConfig as readPaybill } from '../../sample-apps/paybill/config.ts';

const SOCKETS = { TOKENMESH_APP_SOCKET: '/run/app.sock', TOKENMESH_EGRESS_SOCKET: '/run/egress.sock' };
const TABLE = { kind: 'dynamodb', tableName: 'CustomerOrderTable' };
const SOCKETS_READ = { appSocket: '/run/app.sock', egressSocket: '/run/egress.sock' };

function refusal(read: () => unknown): TokenmeshError {
  try {
    read();
  } catch (error) {
    if (error instanceof TokenmeshError) return error;
  }
  throw new Error('the settings were taken');
}

describe('settings', () => {
  it('have defaults for all but the sockets', () => {
    expect(readOrder(SOCKETS)).toEqual({ ...SOCKETS_READ, orderStore: TABLE });
    expect(readPaybill(SOCKETS)).toEqual({
      ...SOCKETS_READ,
      orderStore: TABLE,
      claimSeconds: 30,
    });
    expect(readOutsider(SOCKETS)).toEqual(SOCKETS_READ);
  });

  it('are taken from the environment', () => {
    const environment = { ...SOCKETS, ORDERS_TABLE: 'Orders-2', PAYMENT_CLAIM_SECONDS: '60' };
    expect(readPaybill(environment)).toMatchObject({
      orderStore: { kind: 'dynamodb', tableName: 'Orders-2' },
      claimSeconds: 60,
    });
    expect(
      readProcessor({ PROCESSOR_CERTIFICATE: 'leaf.pem', PROCESSOR_KEY: 'key.pem', PROCESSOR_PORT: '0' }),
    ).toEqual({ certificateFile: 'leaf.pem', keyFile: 'key.pem', port: 0 });
  });

  it('refuses all that is wrong at once, each with its name and without its value', () => {
    const error = refusal(() =>
      readPaybill({
        TOKENMESH_APP_SOCKET: 'relative.sock',
        TOKENMESH_EGRESS_SOCKET: `/${'x'.repeat(103)}`,
        ORDERS_TABLE: 'a b',
        PAYMENT_CLAIM_SECONDS: '5',
      }),
    );
    expect(error.code).toBe('ERR_SETTINGS_INVALID');
    const problems = error.message.split('; ');
    expect(problems.map((each) => each.split(':')[0])).toEqual([
      'TOKENMESH_APP_SOCKET',
      'TOKENMESH_EGRESS_SOCKET',
      'ORDERS_TABLE',
      'PAYMENT_CLAIM_SECONDS',
    ]);
    expect(error.message).not.toContain('relative.sock');
  });

  it.each(['', '-1', '1.5', '65536', '0x10', 'http'])('refuses "%s" for a port', (port) => {
    const error = refusal(() =>
      readProcessor({ PROCESSOR_CERTIFICATE: 'a', PROCESSOR_KEY: 'b', PROCESSOR_PORT: port }),
    );
    expect(error.message).toMatch(/^PROCESSOR_PORT: /);
  });

  it('say of a database where it is and how it is entered, by IAM unless said otherwise', () => {
    const environment = {
      ...SOCKETS,
      ORDER_STORE: 'mysql',
      ORDER_DB_HOST: 'orders.cluster-x.eu-west-1.rds.amazonaws.com',
      ORDER_DB_USER: 'order_app',
      AWS_REGION: 'eu-west-1',
    };
    expect(readOrder(environment).orderStore).toEqual({
      kind: 'mysql',
      database: {
        host: environment.ORDER_DB_HOST,
        port: 3306,
        database: 'orders',
        user: 'order_app',
        auth: { kind: 'iam', region: 'eu-west-1' },
        caFile: '',
      },
    });
  });

  it.each(['127.0.0.1', '10.0.3.7', '::1', '', 'a b'])(
    'refuses "%s" in place of the name of a database',
    (host) => {
      const error = refusal(() =>
        readOrder({
          ...SOCKETS,
          ORDER_STORE: 'mysql',
          ORDER_DB_HOST: host,
          ORDER_DB_USER: 'a',
          AWS_REGION: 'eu-west-1',
        }),
      );
      expect(error.message).toMatch(/^ORDER_DB_HOST: expected a host name/);
    },
  );

  it('refuses an environment that has nothing, naming each setting', () => {
    expect(refusal(() => readProcessor({})).message.split('; ')).toHaveLength(3);
    expect(refusal(() => readOrder({})).message.split('; ')).toHaveLength(2);
  });
});
