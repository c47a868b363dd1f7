import { readSockets, type AppSockets } from '../app-process.ts';
import { readOrderStore, type OrderStoreConfig } from '../order-store.ts';
import { Settings } from '../environment.ts';

export interface PaybillConfig extends AppSockets {
  readonly orderStore: OrderStoreConfig;
  readonly claimSeconds: number;
}

/** An attempt takes 21 s at most: three operations on the table of 3 s each, the tokenizer's 5 s, the processor's 6 s. */
const CLAIM_SECONDS = { min: 25, max: 3600, fallback: 30 };

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): PaybillConfig {
  const settings = new Settings(environment);
  const config = {
    ...readSockets(settings),
    orderStore: readOrderStore(settings),
    claimSeconds: settings.integer('PAYMENT_CLAIM_SECONDS', CLAIM_SECONDS),
  };
  settings.check();
  return config;
}
