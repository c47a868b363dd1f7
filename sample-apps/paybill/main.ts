/** Paybill: turns the token of an order back into the card and charges it. */

import { randomUUID } from 'node:crypto';
import { createEgress } from '../../runtime/egress.ts';
import { runApp } from '../app-process.ts';
import { openOrderStore } from '../order-store.ts';
import { createTokenizerClient } from '../../sidecar/tokenizer/client/tokenizer-client.ts';
import { createDynamoDbPaymentStore } from './adapters/dynamodb-payment-store.ts';
import { createMysqlPaymentStore } from './adapters/mysql-payment-store.ts';
import { createProcessorClient } from './adapters/processor-client.ts';
import { readConfig } from './config.ts';
import { createPaybillServer } from './routes.ts';

await runApp('paybill', (logger) => {
  const config = readConfig(process.env);
  const dispatcher = createEgress(config.egressSocket);
  const { store: payments, close } = openOrderStore(config.orderStore, {
    dynamodb: createDynamoDbPaymentStore,
    mysql: createMysqlPaymentStore,
  });
  const server = createPaybillServer({
    payments,
    tokenizer: createTokenizerClient({ dispatcher }),
    processor: createProcessorClient(dispatcher),
    logger,
    newAttemptId: randomUUID,
    now: () => new Date(),
    claimSeconds: config.claimSeconds,
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
