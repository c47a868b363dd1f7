import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator } from '../../local/aws/emulator.ts';
import { preparePythonEnvironment, type PythonEnvironment } from '../../local/aws/python-environment.ts';
import { freePort } from '../../local/free-port.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

export interface EmulatedAws {
  readonly endpointUrl: string;
  /** What every client of the SDK takes. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  stop(): Promise<void>;
  /** What the process printed so far. */
  log(): Promise<string>;
}

/** The environment that the local run uses too: made by whoever comes first. */
export async function pythonEnvironment(): Promise<PythonEnvironment> {
  return preparePythonEnvironment({
    projectRoot: PROJECT_ROOT,
    requirementsFile: join(PROJECT_ROOT, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: () => undefined,
  });
}

/** The time jest has to give a `beforeAll` in which the environment may be made. */
export const PREPARE_DEADLINE_MS = 300_000;

export async function startEmulatedAws(env: NodeJS.ProcessEnv = {}): Promise<EmulatedAws> {
  const { python } = await pythonEnvironment();
  const directory = await mkdtemp(join(tmpdir(), 'tokenmesh-aws-'));
  const logFile = join(directory, 'aws.log');
  const emulator = await startEmulator({ python, port: await freePort(), logFile, env });
  return {
    endpointUrl: emulator.endpointUrl,
    clientConfig: {
      endpoint: emulator.endpointUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    stop: async () => {
      await emulator.stop();
      await rm(directory, { recursive: true, force: true });
    },
    log: async () => readFile(logFile, 'utf8'),
  };
}
