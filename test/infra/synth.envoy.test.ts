/**
 * `npm run synth` as whoever deploys runs it: with no network, no credentials and no Docker.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AT_EDGE, edgeKeyFile } from '../support/edge-key-file.ts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isAsShown } from '../support/console-session.ts';
import { readerFolder, readPage } from '../support/reader.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DEADLINE_MS = 300_000;

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly conclusion: string;
    readonly violations: readonly { readonly ruleName: string; readonly severity?: string }[];
  }[];
}

/** Nothing of the environment of whoever runs the tests but Node, so that no Docker and no account is found. */
async function synth(output: string, context: Readonly<Record<string, string>>): Promise<void> {
  const chosen = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  await promisify(execFile)(
    process.execPath,
    ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '--no-notices', '--output', output, ...chosen],
    { cwd: ROOT, env: { PATH: dirname(process.execPath), HOME: output, AWS_EC2_METADATA_DISABLED: 'true' } },
  );
}

describe.each([
  [
    'envoy, with every choice',
    8,
    {
      ...AT_EDGE,
      edgeKeys: 'first',
      edgeKeyFile: edgeKeyFile(),
      orderStore: 'mysql',
      outsider: 'true',
    },
  ],
  ['app-mesh', 6, { target: 'app-mesh' }],
])('the synthesis of the target %s', (_target, functions, context: Record<string, string>) => {
  const output = mkdtempSync(join(tmpdir(), 'tokenmesh-synth-'));

  beforeAll(async () => await synth(output, context), DEADLINE_MS);
  afterAll(() => rmSync(output, { recursive: true, force: true }));

  it("has CDK's own validation and both packs of cdk-nag find nothing", () => {
    const { pluginReports } = JSON.parse(
      readFileSync(join(output, 'validation-report.json'), 'utf8'),
    ) as Report;
    // Who finds nothing is not in it. That both packs do judge: test/infra/validations.test.ts.
    expect(pluginReports.filter(({ conclusion }) => conclusion !== 'success')).toEqual([]);
  });

  it(
    'makes a bundle of each function that loads and has its handler',
    async () => {
      const bundles = globSync(join(output, 'asset.*', 'index.mjs'));
      expect(bundles).toHaveLength(functions);
      for (const bundle of bundles) {
        const load = `const { handler } = await import(${JSON.stringify(bundle)}); process.stdout.write(typeof handler);`;
        const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', load]);
        expect(stdout).toBe('function');
      }
    },
    DEADLINE_MS,
  );

  it('hands Docker what the images are made of, and neither tests nor history', () => {
    const contexts = globSync(join(output, 'asset.*', 'sidecar')).map((folder) => dirname(folder));
    expect(contexts.length).toBeGreaterThan(2);
    for (const each of contexts) {
      const has = (path: string): boolean => existsSync(join(each, path));
      expect(
        ['sidecar/app.Dockerfile', 'sidecar/envoy/Dockerfile', 'package-lock.json'].filter(
          (path) => !has(path),
        ),
      ).toEqual([]);
      expect(['test', '.git', 'node_modules', 'docs', 'infra'].filter(has)).toEqual([]);
    }
  });
});

describe('docs/deploy.md', () => {
  const folder = readerFolder();
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    'shows what the synthesis prints, and what it says of a slip',
    async () => {
      const run = await readPage('docs/deploy.md', { folder, stateFile: '', deadlineMs: DEADLINE_MS });
      expect(run.filter((each) => !isAsShown(each))).toEqual([]);
      expect(run.map(({ code }) => code)).toEqual([1, 0]);
    },
    DEADLINE_MS,
  );
});
