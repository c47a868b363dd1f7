import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DENY_LIST_FILE, denyListFile } from '../../../mesh/envoy/deny-list.ts';
import { sdsFileName } from '../../../mesh/envoy/sds.ts';
import { PRIVATE_DIRECTORY, SHARED_DIRECTORY } from '../../../mesh/envoy/task-placement.ts';
import { envoyBinary } from '../../support/envoy.ts';
import { GOLDENS } from './goldens.ts';

const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-goldens-'));
let envoy = '';

beforeAll(async () => {
  envoy = await envoyBinary();
  mkdirSync(join(directory, 'secrets'));
  for (const secret of ['client', 'server', 'trust-clients', 'trust-servers'] as const) {
    writeFileSync(join(directory, 'secrets', sdsFileName(secret)), '{"resources":[]}');
  }
  writeFileSync(join(directory, 'secrets', DENY_LIST_FILE), JSON.stringify(denyListFile(['a1'])));
}, 180_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function validate(bootstrap: string): Promise<string> {
  const file = join(directory, 'bootstrap.json');
  writeFileSync(file, bootstrap);
  const { stdout } = await promisify(execFile)(envoy, ['--mode', 'validate', '-l', 'error', '-c', file]);
  return stdout;
}

/** The paths of a task do not exist here. */
const here = (name: string): string =>
  JSON.stringify(GOLDENS[name]?.())
    .replaceAll(SHARED_DIRECTORY, directory)
    .replaceAll(PRIVATE_DIRECTORY, directory);

describe('Envoy', () => {
  it.each(Object.keys(GOLDENS))('accepts %s', async (name) => {
    expect(await validate(here(name))).toContain('OK');
  });

  it('refuses a bootstrap with a field that it does not know', async () => {
    const broken = here('order-as-shipped').replace('"stat_prefix":"inbound"', '"stat_prefixes":"inbound"');
    await expect(validate(broken)).rejects.toThrow();
  });
});
