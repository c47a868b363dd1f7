import { globSync } from 'node:fs';
import { join } from 'node:path';
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

/** The program itself: what the package calls `envoy` is a script that starts it. */
export async function envoyProgram(): Promise<string> {
  const binary = await envoyBinary();
  const [program] = globSync('lib/python*/site-packages/envoy/_bin/envoy', { cwd: join(binary, '../..') });
  return program === undefined ? binary : join(binary, '../..', program);
}
