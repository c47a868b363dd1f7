import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { startEmulator, type Emulator } from '../../../local/aws/emulator.ts';
import { freePort } from '../../../local/free-port.ts';
import { PREPARE_DEADLINE_MS, pythonEnvironment } from '../../support/emulated-aws.ts';

const AWS_DIRECTORY = join(import.meta.dirname, '..', '..', '..', 'local', 'aws');

let python: string;
let directory: string;

beforeAll(async () => {
  ({ python } = await pythonEnvironment());
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-emulator-'));
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function start(
  more: { port?: number; python?: string; env?: NodeJS.ProcessEnv; log?: string } = {},
): Promise<Emulator> {
  return startEmulator({
    python: more.python ?? python,
    port: more.port ?? (await freePort()),
    logFile: join(directory, more.log ?? 'aws.log'),
    env: more.env ?? {},
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number, deadlineMs: number): Promise<boolean> {
  if (!isRunning(pid)) return true;
  if (deadlineMs <= 0) return false;
  await delay(50);
  return untilGone(pid, deadlineMs - 50);
}

describe('a started emulator', () => {
  it('answers at its address, and ends with code 0 when it is stopped', async () => {
    const emulator = await start();
    const kms = new KMSClient({
      endpoint: emulator.endpointUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    expect((await kms.send(new ListKeysCommand())).Keys).toEqual([]);
    kms.destroy();
    await emulator.stop();
    expect(await emulator.exited).toEqual({ code: 0, signal: null });
    expect(isRunning(emulator.pid)).toBe(false);
    await expect(fetch(emulator.endpointUrl)).rejects.toThrow('fetch failed');
    await emulator.stop();
  });

  it('tells how it ended when someone else ended it', async () => {
    const emulator = await start();
    process.kill(emulator.pid, 'SIGKILL');
    expect(await emulator.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('logs no requests', async () => {
    const emulator = await start({ log: 'quiet.log' });
    await fetch(emulator.endpointUrl, { method: 'POST', body: 'a-body-to-look-for' });
    await emulator.stop();
    const log = await readFile(join(directory, 'quiet.log'), 'utf8');
    expect(log).toBe(`serving AWS on ${emulator.endpointUrl}\n`);
  });

  it('ends with its parent, even where that was killed', async () => {
    const program = `
      const { startEmulator } = await import(${JSON.stringify(join(AWS_DIRECTORY, 'emulator.ts'))});
      const emulator = await startEmulator(${JSON.stringify({ python, port: await freePort(), logFile: join(directory, 'orphan.log') })});
      console.log(emulator.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pid = Number(line);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await untilGone(pid, 5_000)).toBe(true);
  }, 30_000);
});

describe('an emulator that does not start', () => {
  it('refuses a port that is taken, and shows what was printed', async () => {
    const first = await start();
    const port = Number(new URL(first.endpointUrl).port);
    await expect(start({ port })).rejects.toMatchObject({
      code: 'ERR_EMULATOR_NOT_STARTED',
      message: expect.stringMatching(/its end with code \d+; it printed: .*in use/),
    });
    expect(isRunning(first.pid)).toBe(true);
    await first.stop();
  });

  it('refuses a Python that is not there', async () => {
    await expect(start({ python: join(directory, 'no-python') })).rejects.toMatchObject({
      code: 'ERR_EMULATOR_NOT_STARTED',
      message: expect.stringContaining('no-python'),
    });
  });

  it('refuses a setting that is no number, and names it', async () => {
    await expect(start({ env: { TOKENMESH_ACM_RENEWAL_DELAY_MS: 'soon' } })).rejects.toMatchObject({
      message: expect.stringContaining(
        "TOKENMESH_ACM_RENEWAL_DELAY_MS is not usable: expected a number from 0 up, got 'soon'",
      ),
    });
  });

  it('refuses any address but the loopback one', async () => {
    const run = promisify(execFile)(python, ['-B', '-m', 'emulator', '--host', '0.0.0.0', '--port', '1'], {
      cwd: AWS_DIRECTORY,
    });
    await expect(run).rejects.toMatchObject({ code: 2 });
  });
});
