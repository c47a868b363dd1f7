import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { meshOfSuite } from '../support/mesh-of-suite.ts';

const RUN = join(import.meta.dirname, '..', '..', 'bench', 'run.ts');

const LOAD_DEADLINE_MS = 60_000;

const suite = meshOfSuite();

async function load(...options: string[]): Promise<{ code: number; stdout: string }> {
  const env = { ...process.env, TOKENMESH_STATE: suite.run.stateFile };
  const short = ['--connections', '4', '--seconds', '1'];
  return await new Promise((resolve) => {
    execFile(process.execPath, [RUN, 'load', ...short, ...options], { env }, (error, stdout) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout }),
    );
  });
}

/** The statuses that a load was answered with. */
function statusesOf(stdout: string): string[] {
  return [...stdout.matchAll(/^(\d{3}): \d+ answers/gm)].map(([, status = '']) => status);
}

describe('a load of detokenize through the mesh', () => {
  it.each([
    ['known', ['200']],
    ['unknown', ['404']],
  ])(
    'of %s tokens is answered with %j and nothing else',
    async (tokens, statuses) => {
      const { code, stdout } = await load('--tokens', tokens);
      expect(statusesOf(stdout)).toEqual(statuses);
      expect(code).toBe(0);
    },
    LOAD_DEADLINE_MS,
  );

  it(
    'of both is answered with both, and tells how long one takes beside the other',
    async () => {
      const { code, stdout } = await load('--tokens', 'mixed');
      expect(statusesOf(stdout)).toEqual(['200', '404']);
      expect(stdout).toMatch(/^an unknown token takes \d+\.\d\d times as long as a known one \(p50\)$/m);
      expect(code).toBe(0);
    },
    LOAD_DEADLINE_MS,
  );
});
