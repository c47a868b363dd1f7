import { readSockets, type AppSockets } from '../app-process.ts';
import { readOrderStore, type OrderStoreConfig } from '../order-store.ts';
import { Settings } from '../environment.ts';

export interface OrderConfig extends AppSockets {
  readonly orderStore: OrderStoreConfig;
}

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): OrderConfig {
  const settings = new Settings(environment);
  const config = { ...readSockets(settings), orderStore: readOrderStore(settings) };
  settings.check();
  return config;
}
