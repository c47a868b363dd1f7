/**
 * `npm test`: everything that CI checks. Ends with one line of real counts.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';

const PROJECT_ROOT = join(import.meta.dirname, '..');
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  // A deadline and no measure: a busy machine takes several times as long as a quiet one.
  '--testTimeout=30000',
];

/** Every folder of ours that runs; the tests themselves are not measured. */
const COVERED =
  'errors mesh pki runtime cert-exporter renewal queue sidecar sample-apps edge operator local infra'.split(
    ' ',
  );

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

type Part = 'checks' | 'unit' | 'envoy' | 'trust';

const PARTS: Readonly<Record<Part, () => Promise<Counts>>> = {
  checks: async () => sum([await npmScript('lint'), await npmScript('typecheck')]),
  unit: async () =>
    await jest('unit', [
      '--coverage',
      '--coverageProvider=babel',
      '--coverageReporters=text-summary',
      ...COVERED.map((folder) => `--collectCoverageFrom=${folder}/**/*.ts`),
    ]),
  envoy: async () => await jest('envoy', ['--runInBand']),
  trust: async () => sum([await jest('unit', TRUST), await jest('envoy', [...TRUST, '--runInBand'])]),
};

/** The attacks and scanners, which are in the other parts too. */
const TRUST = ['--testPathPatterns=test/trust/'];

/** Everything, each test once. */
const ALL: readonly Part[] = ['checks', 'unit', 'envoy'];

async function run(command: string, commandArguments: readonly string[]): Promise<number> {
  const child = spawn(command, commandArguments, {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  return await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function npmScript(name: string): Promise<Counts> {
  const code = await run('npm', ['run', '--silent', name]);
  process.stdout.write(`${name}: ${code === 0 ? 'ok' : 'FAILED'}\n`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** @returns What jest itself counted; a suite that could not run is a failure. */
async function jest(project: string, options: readonly string[]): Promise<Counts> {
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-test-'));
  try {
    const report = join(directory, 'report.json');
    const code = await run(process.execPath, [
      ...JEST,
      '--selectProjects',
      project,
      '--json',
      `--outputFile=${report}`,
      ...options,
    ]);
    const found = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    const failed = (found['numFailedTests'] ?? 0) + (found['numRuntimeErrorTestSuites'] ?? 0);
    return { passed: found['numPassedTests'] ?? 0, failed: code !== 0 && failed === 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  });
}

const { only } = new Command('npm test --')
  .description('Runs the checks, the unit tests, and the tests on real Envoys and the emulated AWS.')
  .addOption(new Option('--only <part>', 'one part alone').choices(Object.keys(PARTS)))
  .parse()
  .opts<{ only?: Part }>();

const results: Counts[] = [];
for (const part of only === undefined ? ALL : [only]) {
  const started = performance.now();
  results.push(await PARTS[part]());
  process.stdout.write(`${part}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
const total = sum(results);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
