import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';

const CLI = join(import.meta.dirname, '..', '..', '..', 'operator', 'cli.ts');
const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-scan-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function scan(argumentsGiven: readonly string[], input = '') {
  const child = spawn(process.execPath, [CLI, 'scan', ...argumentsGiven], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, stdout, stderr };
}

describe('mesh scan', () => {
  it('says where a card number is, of which scheme, and never the number', async () => {
    const file = join(directory, 'dump.sql');
    writeFileSync(file, "insert into t values (1, 'x');\ninsert into t values (2, '4111-1111-1111-1111');\n");
    const found = await scan([file]);
    expect(found).toEqual({
      code: 1,
      stdout: `${file}:2:27: Visa ************1111\n`,
      stderr: '1 card number found\n',
    });
  }, 30_000);

  it('reads standard input, and ends with 0 where there is none', async () => {
    expect(await scan(['-'], 'tkn_ and 1234567812345678')).toEqual({
      code: 0,
      stdout: '',
      stderr: '0 card numbers found\n',
    });
  }, 30_000);

  it.each([
    ['no argument', []],
    ['a file that is not there', [join(directory, '4111111111111111')]],
    ['a folder', [directory]],
  ])(
    'refuses %s as wrong use, without showing it',
    async (_, argumentsGiven) => {
      const { code, stdout, stderr } = await scan(argumentsGiven);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).not.toContain('4111111111111111');
    },
    30_000,
  );
});
