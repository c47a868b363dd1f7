/**
 * The certificate of a function, looked at, renewed and revoked in a running mesh.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RenewCertificateCommand } from '@aws-sdk/client-acm';
import { afterAll, describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { functionCredentials, isFunctionTaken, publishedFor } from '../../operator/facts/functions.ts';
import { probeListener } from '../../operator/facts/listener.ts';
import { nodeState } from '../../operator/run-state.ts';
import type { Verification } from '../../operator/verify.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;

const suite = meshOfSuite();
const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-functions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const aws = () => emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
const published = async () => await publishedFor(tokenizationMesh, 'bulk', aws().secretsManager);

async function checksOf(name: string): Promise<string[]> {
  const { stdout } = await mesh(suite.run, ['verify', '--json', '--only', 'certificates,revocation']);
  const { checks } = JSON.parse(stdout) as Verification;
  return checks
    .filter(({ subject }) => subject.split(' ')[0] === name)
    .map(({ id, outcome }) => `${id} ${outcome}`);
}

/** @returns The last line that the command prints. */
async function load(file: string): Promise<string | undefined> {
  const path = join(folder, file);
  writeFileSync(path, 'customer,number\nc-1,4111111111111111\n');
  // Longer than the minute after which the function looks for another certificate, and the time a part is out of sight.
  const options = ['--class', 'number=pan', '--keep', 'customer', '--patience', '150'];
  const { stdout } = await mesh(suite.run, ['load', path, ...options]);
  return stdout.trim().split('\n').at(-1);
}

const HELD = ['certificates.published held', 'certificates.days-left held', 'revocation.own held'];

describe('verify', () => {
  it(
    'looks at the certificate of a function, and tells one that ACM renewed and nobody exported',
    async () => {
      expect(new Set(await checksOf('bulk'))).toEqual(new Set(HELD));
      const { certificateArn, serial } = await published();
      await aws().acm.send(new RenewCertificateCommand({ CertificateArn: certificateArn }));
      let seen: string[] = [];
      for (let look = 0; look < 60 && !seen.includes('certificates.published failed'); look += 1)
        seen = await checksOf('bulk');
      expect(seen).toContain('certificates.published failed');
      expect((await published()).serial).toBe(serial);
    },
    DEADLINE_MS,
  );
});

describe('mesh rotate', () => {
  it(
    'renews the certificate of a function, and waits until its listeners take it',
    async () => {
      const before = await published();
      const rotated = await mesh(suite.run, ['rotate', 'bulk']);
      expect(rotated.stdout).toMatch(
        /^bulk client: \w+\.\.\. -> \w+\.\.\., published after \d+ ms, taken by its listeners after \d+ ms\n$/,
      );
      const after = await published();
      expect(after.serial).not.toBe(before.serial);
      expect(rotated.stdout).toContain(`-> ${after.serial.slice(0, 8)}...`);
      expect(new Set(await checksOf('bulk'))).toEqual(new Set(HELD));
      expect(await load('rotated.csv')).toContain('1 records: 1 tokens, 0 refused');
    },
    DEADLINE_MS,
  );

  it(
    'refuses the side of a connection that a function does not have',
    async () => {
      for (const verb of ['rotate', 'revoke']) {
        const refused = await mesh(suite.run, [verb, 'bulk', '--role', 'server']);
        expect(refused).toMatchObject({
          code: 2,
          stdout: '',
          stderr: expect.stringContaining('bulk has a client certificate alone'),
        });
      }
    },
    DEADLINE_MS,
  );
});

describe('mesh revoke', () => {
  it(
    'puts a function out at every listener, until it is rotated',
    async () => {
      const { secretsManager } = aws();
      const revoked = await functionCredentials(tokenizationMesh, 'bulk', secretsManager);
      const command = await mesh(suite.run, ['revoke', 'bulk']);
      expect(command).toMatchObject({ code: 0, stderr: '' });
      expect(command.stdout).toMatch(
        /^bulk client: \w+\.\.\. on the deny list after \d+ ms, .*in the handshake after \d+ ms\nback with: npm run mesh -- rotate bulk\n$/,
      );
      const tokenizer = nodeState(suite.state, 'tokenizer');
      expect(await probeListener(suite.state, tokenizer, revoked)).toMatchObject({ outcome: 'refused' });
      expect(await checksOf('bulk')).toContain('revocation.own failed');
      const parts = { mesh: tokenizationMesh, state: suite.state, aws: aws() };
      expect(await isFunctionTaken(parts, 'bulk')).toBe(false);

      expect(await mesh(suite.run, ['rotate', 'bulk'])).toMatchObject({ code: 0 });
      expect(new Set(await checksOf('bulk'))).toEqual(new Set(HELD));
      expect(await probeListener(suite.state, tokenizer, revoked)).toMatchObject({ outcome: 'refused' });
      // The function itself looks at its secret each minute: until then its parts come again.
      expect(await load('back.csv')).toContain('1 records: 1 tokens, 0 refused');
      const log = readFileSync(join(suite.state.directory, 'the-function-bulk.log'), 'utf8');
      expect(log).toContain('part consumed');
    },
    2 * DEADLINE_MS,
  );
});
