import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SecretPublisher } from '../../../../sidecar/envoy/sds/publisher.ts';
import { serveSecrets } from '../../../../sidecar/envoy/sds/server.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tokenmesh-sds-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the socket for secrets', () => {
  it('takes the place of one that an earlier sidecar left', async () => {
    const socket = join(directory, 'sds.sock');
    writeFileSync(socket, 'left behind');
    const server = await serveSecrets(socket, new SecretPublisher());
    await server.close();
    await (await serveSecrets(socket, new SecretPublisher())).close();
  });

  it('is not made where others may enter', async () => {
    chmodSync(directory, 0o755);
    const served = serveSecrets(join(directory, 'sds.sock'), new SecretPublisher());
    await expect(served).rejects.toMatchObject({
      code: 'ERR_SDS_SOCKET',
      message: expect.stringContaining('755'),
    });
  });

  it('is not made under a path that is too long, and the error says how long it may be', async () => {
    const served = serveSecrets(join(directory, 'x'.repeat(120), 'sds.sock'), new SecretPublisher());
    await expect(served).rejects.toMatchObject({
      code: 'ERR_SDS_SOCKET',
      remedy: expect.stringContaining('103 bytes'),
    });
  });
});
