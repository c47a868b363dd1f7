import { readSockets, type AppSockets } from '../app-process.ts';
import { TABLE_NAME_RULE } from '../customer-order-table.ts';
import { Settings } from '../environment.ts';

export interface OrderConfig extends AppSockets {
  readonly ordersTable: string;
}

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): OrderConfig {
  const settings = new Settings(environment);
  const config = { ...readSockets(settings), ordersTable: settings.text('ORDERS_TABLE', TABLE_NAME_RULE) };
  settings.check();
  return config;
}
