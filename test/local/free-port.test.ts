import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort, freePorts } from '../../local/free-port.ts';

describe('a free port', () => {
  it('can be listened on', async () => {
    const port = await freePort();
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(server.address()).toMatchObject({ port, address: '127.0.0.1' });
    server.close();
    await once(server, 'close');
  });

  it('is the wanted one where that is free, and no two are the same', async () => {
    const wanted = await freePort();
    const [first, second, ...others] = await freePorts([wanted, wanted, 0, 0, 0]);
    expect(first).toBe(wanted);
    expect(second).not.toBe(wanted);
    expect(new Set([first, second, ...others]).size).toBe(5);
  });

  it('is not one that is taken', async () => {
    const server = createServer();
    server.listen(await freePort(), '127.0.0.1');
    await once(server, 'listening');
    const ports = await Promise.all(Array.from({ length: 20 }, async () => freePort()));
    expect(ports).not.toContain((server.address() as { port: number }).port);
    server.close();
    await once(server, 'close');
  });
});
