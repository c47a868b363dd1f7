import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort } from '../../local/free-port.ts';

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
