import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { TokenmeshError } from '../errors/error.ts';

/**
 * A port of 127.0.0.1 that nobody listens on now.
 *
 * Nothing reserves it: whoever binds it must cope with another having been faster.
 */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts([0]);
  return port;
}

/**
 * Ports of 127.0.0.1, no two the same: each the wanted one where that is free, so that addresses stay
 * the same from run to run, and another where it is not, or where 0 is wanted.
 */
export async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const held: Server[] = [];
  try {
    // Each is held while the next is looked for.
    for (const port of wanted) held.push(await listen(port).catch(async () => await listen(0)));
    return held.map(portOf);
  } finally {
    await Promise.all(held.map(close));
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

function portOf(server: Server): number {
  const address = server.address();
  if (address !== null && typeof address !== 'string') return address.port;
  throw new TokenmeshError({
    code: 'ERR_PORT_UNKNOWN',
    message: 'the system gave no free port: expected an address with a port, got none',
    remedy: 'try again',
  });
}
