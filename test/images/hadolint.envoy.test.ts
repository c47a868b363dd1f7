import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { PROJECT_ROOT } from '../support/image.ts';
import { command } from '../support/running-mesh.ts';

let bin: string;

beforeAll(async () => {
  ({ bin } = await preparePythonEnvironment({
    projectRoot: PROJECT_ROOT,
    requirementsFile: join(import.meta.dirname, 'hadolint', 'requirements.txt'),
    name: 'hadolint',
    onProgress: () => undefined,
  }));
}, 300_000);

async function lint(file: string, input = ''): Promise<{ code: number | null; codes: unknown[] }> {
  const { code, stdout } = await command(join(bin, 'hadolint'), ['--format', 'json', file], {}, input);
  return { code, codes: (JSON.parse(stdout) as { code: string }[]).map((each) => each.code) };
}

describe('hadolint', () => {
  it.each(['sidecar/envoy/Dockerfile', 'sidecar/app.Dockerfile'])('finds nothing in %s', async (file) => {
    expect(await lint(file)).toEqual({ code: 0, codes: [] });
  });

  it('finds something in a file that has it', async () => {
    const { code, codes } = await lint('-', 'FROM debian\nRUN cd /tmp\nCMD sh -c "true"\n');
    expect(code).toBe(1);
    expect(codes).toEqual(expect.arrayContaining(['DL3006', 'DL3003', 'DL3025']));
  });
});
