import { createServer } from 'node:net';
import { once } from 'node:events';
import { TokenmeshError } from '../errors/error.ts';

/**
 * A port of 127.0.0.1 that nobody listens on now.
 *
 * Nothing reserves it: whoever binds it must cope with another having been faster.
 */
export async function freePort(): Promise<number> {
  return await bindOnce(0);
}

/** The wanted port where it is free, so that addresses stay the same from run to run; another where it is not. */
export async function freePortNear(wanted: number): Promise<number> {
  return await bindOnce(wanted).catch(async () => await bindOnce(0));
}

async function bindOnce(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new TokenmeshError({
      code: 'ERR_PORT_UNKNOWN',
      message: 'the system gave no free port: expected an address with a port, got none',
      remedy: 'try again',
    });
  }
  return address.port;
}
