import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The Envoy that the local run uses, installed on first use. */
export async function envoyBinary(): Promise<string> {
  const given = process.env['ENVOY_BIN'];
  if (given !== undefined) return given;
  const { bin } = await preparePythonEnvironment({
    projectRoot: ROOT,
    requirementsFile: join(ROOT, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: () => {},
  });
  return join(bin, 'envoy');
}

const READY_DEADLINE_MS = 15_000;

export async function untilEnvoyIsReady(adminUrl: string): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await isReady(adminUrl))) {
    if (Date.now() > deadline)
      throw new Error(`Envoy at ${adminUrl} was not ready in ${READY_DEADLINE_MS} ms`);
    await sleep(20);
  }
}

async function isReady(adminUrl: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${adminUrl}/ready`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

/** The program itself: what the package calls `envoy` is a script that starts it. */
export async function envoyProgram(): Promise<string> {
  const binary = await envoyBinary();
  const [program] = globSync('lib/python*/site-packages/envoy/_bin/envoy', { cwd: join(binary, '../..') });
  return program === undefined ? binary : join(binary, '../..', program);
}
