/**
 * `npm test`: everything that CI checks. Ends with one line of real counts.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
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
  /** One of each that failed, with what it said first: said again at the very end, where it is looked for. */
  readonly failures?: readonly string[];
}

/** What jest writes of a run, as far as it is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const SLOWEST = 10;
const LINES_OF_A_FAILURE = 25;

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
  trust: async () =>
    sum([
      await jest('unit', TRUST),
      await jest('envoy', [...TRUST, '--runInBand']),
      await npmScript('scene', ['faults', '--count', '200', '--seed', '7']),
      await npmScript('fuzz', ['--seconds', '60']),
    ]),
};

/** Attacks, scanners, vectors and canaries: in the other parts too, with some of the faults and a shorter fuzzing. */
const TRUST = ['--testPathPatterns=test/(trust|wycheproof|api)/|test/local/canaries'];

/** Everything, each test once. */
const ALL: readonly Part[] = ['checks', 'unit', 'envoy'];

async function run(command: string, commandArguments: readonly string[]): Promise<number> {
  const child = spawn(command, commandArguments, {
    cwd: PROJECT_ROOT,
    env: { NODE_COMPILE_CACHE: join(PROJECT_ROOT, '.tokenmesh', 'compile-cache'), ...process.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  return await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function npmScript(name: string, options: readonly string[] = []): Promise<Counts> {
  const code = await run('npm', ['run', '--silent', name, '--', ...options]);
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
    const found = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const failed = found.numFailedTests + found.numRuntimeErrorTestSuites;
    process.stdout.write(`${slowestOf(found).join('\n')}\n`);
    return {
      passed: found.numPassedTests,
      failed: code !== 0 && failed === 0 ? 1 : failed,
      failures: failuresOf(found),
    };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function slowestOf({ testResults }: Report): string[] {
  return testResults
    .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
    .toSorted((one, other) => other.seconds - one.seconds)
    .slice(0, SLOWEST)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${relative(PROJECT_ROOT, name)}`);
}

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const told = (title: string, text: string): string =>
      [
        `FAILED ${relative(PROJECT_ROOT, name)} › ${title}`,
        ...stripVTControlCharacters(text).split('\n').slice(0, LINES_OF_A_FAILURE),
      ].join('\n  ');
    // A suite that could not run has a message and no tests.
    if (failed.length === 0)
      return assertionResults.length === 0 && message !== '' ? [told('', message)] : [];
    return failed.map(({ fullName, failureMessages }) => told(fullName, failureMessages.join('\n')));
  });
}

function sum(counts: readonly Counts[]): Required<Counts> {
  return counts.reduce<Required<Counts>>(
    (a, b) => ({
      passed: a.passed + b.passed,
      failed: a.failed + b.failed,
      failures: [...a.failures, ...(b.failures ?? [])],
    }),
    { passed: 0, failed: 0, failures: [] },
  );
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
for (const failure of total.failures) process.stdout.write(`${failure}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
