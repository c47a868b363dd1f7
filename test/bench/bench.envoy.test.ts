import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Figure } from '../../bench/mesh/figures.ts';
import type { MeshBenchResult } from '../../bench/mesh/mesh-bench.ts';
import { BATCH_ITEMS, OPERATIONS } from '../../bench/mesh/operations.ts';

const RUN = join(import.meta.dirname, '..', '..', 'bench', 'run.ts');
const FIRST_START_MS = 300_000;

let out: string;
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'tokenmesh-bench-test-'));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

async function run(...options: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [RUN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, stdout, stderr };
}

const IDS = [
  ...OPERATIONS.flatMap(({ name }) => [name, `${name}-bare`, `${name}-vs-usual`]),
  ...['overhead-us', 'overhead-us-bare', 'overhead-us-batch-100', 'overhead-us-batch-100-bare'],
  ...['seal-open-vs-gcm', 'kms-calls-per-million', 'memory-mb'],
];

/** Of two measured times, which rounds as short as these do not tell apart. */
const DIFFERENCES = ['overhead-us', 'overhead-us-batch-100'];

describe('a short run of the bench', () => {
  let figures: readonly Figure[];
  let raw: MeshBenchResult;

  beforeAll(async () => {
    const parts = ['--part', 'rounds', 'memory', 'seal-open'];
    const short = ['--quick', '--seconds', '0.1', '--connections', '1'];
    const ran = await run('mesh', '--json', '--out', out, ...short, ...parts);
    if (ran.code !== 0) throw new Error(ran.stderr);
    ({ figures } = JSON.parse(ran.stdout) as { figures: readonly Figure[] });
    raw = JSON.parse(readFileSync(join(out, 'raw.json'), 'utf8')) as MeshBenchResult;
  }, FIRST_START_MS);

  it('has every figure beside a baseline, as a number above 0 where it is no difference', () => {
    expect(figures.map(({ id }) => id).toSorted()).toEqual(IDS.toSorted());
    for (const { id, value, baseline, ratio, unit } of figures) {
      expect(value).toBeGreaterThan(DIFFERENCES.includes(id) ? -Infinity : 0);
      expect(value).toBeLessThan(Infinity);
      expect(baseline.value).toBeGreaterThan(0);
      expect(ratio).toBeCloseTo(value / baseline.value, 9);
      expect([unit, baseline.name]).not.toContain('');
    }
  });

  it('counts in the store every token that was handed out, and none more', () => {
    const storing = raw.rounds.filter(
      ({ operation, target }) => operation.startsWith('tokenize') && target !== 'mesh-floor',
    );
    expect(new Set(storing.map(({ target }) => target))).toEqual(
      new Set(['tokenizer', 'bare', 'usual', 'memory']),
    );
    for (const { tokens, requests, operation, recordsWritten } of storing) {
      expect(tokens).toBe(operation === 'tokenize-one' ? requests : requests * BATCH_ITEMS);
      expect(recordsWritten).toBe(tokens);
    }
  });

  it('counts a call to KMS for each token of the usual pattern, and none for those of the tokenizer', () => {
    const keyCalls = ({ kmsCalls }: MeshBenchResult['rounds'][number]): number =>
      (kmsCalls['GenerateDataKey'] ?? 0) + (kmsCalls['Decrypt'] ?? 0);
    const of = (target: string) => raw.rounds.filter((each) => each.target === target);
    expect(of('usual').length).toBeGreaterThan(0);
    for (const each of of('usual')) expect(keyCalls(each)).toBe(each.tokens);
    expect(of('tokenizer').length).toBeGreaterThan(0);
    for (const each of of('tokenizer')) expect(keyCalls(each)).toBe(0);
  });

  it('says what did not run', () => {
    expect(raw.notRun.join('\n')).toContain('--dynamodb-url');
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('### Did not run');
  });
});

describe('the bench', () => {
  it('stops on Ctrl-C with everything that it started, and exits with 130', async () => {
    const options = ['mesh', '--quick', '--part', 'memory', '--out', out];
    const child = spawn(process.execPath, [RUN, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(child, 'exit') as Promise<[number | null]>;
    for await (const chunk of child.stderr) if (String(chunk).includes('MB')) break;
    const mine = childrenOf(child.pid ?? 0);
    // Two stubs, the load generator, the app, three Envoys and who keeps them.
    expect(mine).toHaveLength(8);
    child.kill('SIGINT');
    expect((await exited)[0]).toBe(130);
    expect(mine.filter(isRunning)).toEqual([]);
  }, 60_000);

  it('refuses what it does not know with 2', async () => {
    expect((await run('mesh', '--part', 'nothing')).code).toBe(2);
    expect((await run('load', '--connections', '0')).code).toBe(2);
  });
});

/** Of a process, and of theirs. */
function childrenOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(name)]),
  );
  const under = (parent: number): number[] =>
    [...parents].flatMap(([each, of]) => (of === parent ? [each, ...under(each)] : []));
  return under(pid);
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return 0;
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
