/**
 * A mesh whose vault stands on a KMS key of imported material, made and wrapped by openssl: it works, refuses
 * once the material is deleted and the keys in memory have had their time, and works again with the same material.
 *
 * @module
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DecryptCommand, EncryptCommand, ReplicateKeyCommand } from '@aws-sdk/client-kms';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { isAsShown } from '../support/console-session.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { readerFolder, readPage } from '../support/reader.ts';

const KEY_SECONDS = 6;
const OTHER_REGION = 'eu-west-1';
const PAN = '4111111111111111';

const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-byok-'));
const materialFile = join(directory, 'material.bin');
execFileSync('openssl', ['rand', '-out', materialFile, '32']);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const suite = meshOfSuite({
  TOKENMESH_KEY_MATERIAL: materialFile,
  TOKENMESH_BRANCH_KEY_SECONDS: String(KEY_SECONDS),
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `mesh keys ...`; key material is bytes, which a text would not bring through. */
function keys(commandArguments: readonly string[], input: Buffer = Buffer.alloc(0), env = {}): Ended {
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['run', '--silent', 'mesh', '--', 'keys', ...commandArguments],
    { env: { ...process.env, TOKENMESH_STATE: suite.run.stateFile, ...env }, input },
  );
  return { code: status, output: `${stdout.toString()}${stderr.toString()}` };
}

const material = (): Buffer => readFileSync(materialFile);

async function tokenize(): Promise<{ status: number; code?: string; token?: string }> {
  const { status, document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', {
    fields: { card: { class: 'pan', value: PAN } },
  });
  return { ...document, status };
}

async function detokenize(token: string): Promise<unknown> {
  const { status, document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });
  const fields = document['fields'] as { card: { value: string } } | undefined;
  return fields?.card.value ?? { status, code: document['code'] };
}

async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer) || Date.now() > end) return answer;
    await sleep(250);
  }
}

describe('a vault on key material of one’s own', () => {
  let token = '';

  it('tokenizes and detokenizes, and shows that its material is there', async () => {
    ({ token = '' } = await tokenize());
    expect(await detokenize(token)).toBe(PAN);
    expect(keys(['material'])).toEqual({
      code: 0,
      output: 'us-east-1: Enabled, its material does not expire\n',
    });
  }, 60_000);

  it('does what its page shows of a terminal', async () => {
    const folder = readerFolder({ 'material.bin': material(), 'other.bin': Buffer.alloc(32, 9) });
    const run = await readPage('docs/byok.md', {
      folder,
      stateFile: suite.run.stateFile,
      // The suite has made the material, and started on it.
      types: ({ command }) => !/^openssl rand |npm start$/.test(command),
    });
    rmSync(folder, { recursive: true, force: true });
    expect(run.filter((each) => !isAsShown(each))).toEqual([]);
    expect(run.length).toBeGreaterThan(5);
    expect(await detokenize(token)).toBe(PAN);
  }, 120_000);

  it('is brought to each region of the key, and then opens in one what another sealed', async () => {
    const { aws, vaultKeyArn } = suite.state;
    const here = emulatorClients(aws.endpointUrl, aws.region).kms;
    const there = emulatorClients(aws.endpointUrl, OTHER_REGION).kms;
    await here.send(new ReplicateKeyCommand({ KeyId: vaultKeyArn, ReplicaRegion: OTHER_REGION }));
    expect(keys(['material']).output).toContain(`${OTHER_REGION}: has no material`);
    expect(keys(['import', '-'], material())).toEqual({
      code: 0,
      output: `us-east-1: Enabled, its material does not expire\n${OTHER_REGION}: Enabled, its material does not expire\n`,
    });
    const { CiphertextBlob } = await here.send(
      new EncryptCommand({ KeyId: vaultKeyArn, Plaintext: Buffer.from('sealed here') }),
    );
    const { Plaintext } = await there.send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('sealed here');
  }, 60_000);

  it('refuses once its material is deleted and its keys in memory have had their time', async () => {
    expect(keys(['delete-material'])).toMatchObject({ code: 2 });
    expect(await detokenize(token)).toBe(PAN);
    expect(keys(['delete-material', '--yes'])).toMatchObject({ code: 0 });
    const refused = await until(tokenize, ({ status }) => status !== 201);
    expect(refused).toMatchObject({ status: 503, code: 'ERR_KEY_UNAVAILABLE' });
    expect(await detokenize(token)).toEqual({ status: 503, code: 'ERR_KEY_UNAVAILABLE' });
  }, 120_000);

  it('takes no other material, none of another length, and none that was wrapped otherwise', () => {
    const other = keys(['import', '-'], Buffer.alloc(32, 7));
    expect(other).toMatchObject({
      code: 1,
      output: expect.stringContaining('the material that the key had before'),
    });
    expect(keys(['import', '-'], Buffer.from(material().toString('base64')))).toMatchObject({
      code: 2,
      output: expect.stringContaining('expected 32 bytes, got 44'),
    });
    expect(keys(['parameters', directory, '--region', 'us-east-1'])).toMatchObject({ code: 0 });
    expect(
      keys(['import', '-', '--region', 'us-east-1', '--parameters', directory], wrapByOpenssl('sha1')),
    ).toMatchObject({ code: 1, output: expect.stringContaining('RSAES_OAEP_SHA_256') });
    expect(keys(['material', '--region', 'us-east-1']).output).toContain('has no material');
  }, 120_000);

  it('works again with the same material, wrapped by openssl elsewhere', async () => {
    expect(keys(['parameters', directory, '--region', 'us-east-1'])).toMatchObject({ code: 0 });
    expect(
      keys(['import', '-', '--region', 'us-east-1', '--parameters', directory], wrapByOpenssl('sha256')),
    ).toEqual({ code: 0, output: 'us-east-1: Enabled, its material does not expire\n' });
    expect(await until(tokenize, ({ status }) => status === 201)).toMatchObject({ status: 201 });
    expect(await detokenize(token)).toBe(PAN);
  }, 120_000);

  it('loses material that expires at its time, and is told of a time that cannot be', async () => {
    for (const expires of ['tomorrow', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) {
      expect(keys(['import', '-', '--expires', expires], material())).toMatchObject({ code: 2 });
    }
    const expires = new Date(Date.now() + 8_000).toISOString();
    expect(keys(['import', '-', '--region', 'us-east-1', '--expires', expires], material()).output).toContain(
      'its material expires',
    );
    const refused = await until(tokenize, ({ status }) => status !== 201);
    expect(refused).toMatchObject({ status: 503, code: 'ERR_KEY_UNAVAILABLE' });
    expect(keys(['import', '-'], material())).toMatchObject({ code: 0 });
    expect(await until(tokenize, ({ status }) => status === 201)).toMatchObject({ status: 201 });
  }, 120_000);

  it('is asked for in an AWS account too, and nothing is where there is no such key', () => {
    const { aws, vaultKeyArn } = suite.state;
    const account = {
      AWS_ENDPOINT_URL: aws.endpointUrl,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      TOKENMESH_STATE: join(directory, 'no-run.json'),
    };
    const empty = Buffer.alloc(0);
    expect(keys(['material', '--aws', '--key', vaultKeyArn, '--json'], empty, account)).toMatchObject({
      code: 0,
      output: expect.stringContaining('"state": "Enabled"'),
    });
    expect(keys(['material', '--aws'], empty, account)).toMatchObject({ code: 2 });
    expect(keys(['material', '--key', suite.state.auditKeyArn])).toMatchObject({
      code: 1,
      output: expect.stringContaining('expected one of origin EXTERNAL, got AWS_KMS'),
    });
    expect(keys(['material', '--key', 'alias/not-there'])).toMatchObject({ code: 1 });
  }, 60_000);
});

/** As on a machine that KMS never sees. */
function wrapByOpenssl(digest: 'sha1' | 'sha256'): Buffer {
  return execFileSync('openssl', [
    ...['pkeyutl', '-encrypt', '-pubin', '-inkey', join(directory, 'wrapping-key.pem'), '-in', materialFile],
    ...['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${digest}`],
    ...['-pkeyopt', `rsa_mgf1_md:${digest}`],
  ]);
}
