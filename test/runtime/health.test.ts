import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { whyUnhealthy } from '../../runtime/health.ts';

const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-health-'));
const socket = join(directory, 'app.sock');
let server: Server;

beforeAll(async () => {
  server = createServer((message, response) => {
    if (message.url === '/cut') response.destroy();
    else response.writeHead(message.url === '/healthz' ? 200 : 503).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the health of a process', () => {
  it('is good where it answers 200 on its socket', async () => {
    expect(await whyUnhealthy(socket, '/healthz')).toBeUndefined();
  });

  it.each([
    ['another answer', '/status', /503/],
    ['an answer that is cut off', '/cut', /ECONNRESET/],
  ])('is not good with %s', async (_, path, reason) => {
    expect(await whyUnhealthy(socket, path)).toMatch(reason);
  });

  it('is not good where nothing listens', async () => {
    expect(await whyUnhealthy(join(directory, 'none.sock'), '/healthz')).toMatch(/ENOENT/);
  });
});
