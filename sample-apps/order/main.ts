/** The order app: takes an order with a card, keeps the order with a token. */

import { randomUUID } from 'node:crypto';
import { createEgress } from '../../runtime/egress.ts';
import { runApp } from '../app-process.ts';
import { openOrderStore } from '../order-store.ts';
import { createTokenizerClient } from '../../sidecar/tokenizer/client/tokenizer-client.ts';
import { createDynamoDbOrderStore } from './adapters/dynamodb-order-store.ts';
import { createMysqlOrderStore } from './adapters/mysql-order-store.ts';
import { readConfig } from './config.ts';
import { createOrderServer } from './routes.ts';

await runApp('order', (logger) => {
  const config = readConfig(process.env);
  const dispatcher = createEgress(config.egressSocket);
  const { store: orders, close } = openOrderStore(config.orderStore, {
    dynamodb: createDynamoDbOrderStore,
    mysql: createMysqlOrderStore,
  });
  const server = createOrderServer({
    tokenizer: createTokenizerClient({ dispatcher }),
    orders,
    logger,
    newOrderId: randomUUID,
    now: () => new Date(),
  });
  return {
    server,
    appSocket: config.appSocket,
    close: async () => {
      await close();
      await dispatcher.close();
    },
  };
});
