import { readSockets, type AppSockets } from '../app-process.ts';
import { Settings } from '../environment.ts';

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): AppSockets {
  const settings = new Settings(environment);
  const sockets = readSockets(settings);
  settings.check();
  return sockets;
}
