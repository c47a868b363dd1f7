/**
 * The rounds: every operation on every target, in turn.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { fetchDynamodbLocal, startDynamodbLocal } from '../dynamodb-local/dynamodb-local.ts';
import type { FloorAnswers } from '../floor-app.ts';
import { stopAll, storeFor, type Bench } from './bench-parts.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import { MAIN_CONNECTIONS, USUAL_BATCH_CONNECTIONS } from './plan.ts';
import { compare, makeTokens, type ComparisonPlan, type Contender } from './rounds.ts';
import { useGivenStore, type Store } from './stores.ts';
import { startTarget, type AppKind, type Target } from './target.ts';
import type { Group } from './workplace.ts';

/** First at the main number of connections, then at the others. */
export async function runRounds(parts: Bench): Promise<void> {
  const { bench, plan, notRun } = parts;
  // First of all: one that cannot be used is not to be found out after minutes.
  const given = await storeThatStores(parts);
  const start = async (kind: AppKind): Promise<Target> =>
    await startTarget(bench, { name: kind, kind, store: await storeFor(parts, kind) });
  const [tokenizer, bare, usual] = [await start('tokenizer'), await start('bare'), await start('usual')];
  const answers = await answersOf(tokenizer);
  const { store } = tokenizer;
  const floor = await startTarget(bench, { name: 'mesh-floor', kind: 'mesh-floor', store, answers });
  for (const operation of parts.operations) {
    await compareAll(parts, operation, [floor, tokenizer, bare, usual], MAIN_CONNECTIONS, plan.main);
    for (const connections of parts.sideConnections) {
      await compareAsFarAsItGoes(parts, operation, [floor, tokenizer], connections, plan.side);
    }
  }
  await stopAll([floor, tokenizer, bare, usual]);
  if (given === undefined && !parts.isDynamodbLocal) {
    notRun.push('the rounds on a DynamoDB that stores: none was given (--dynamodb-url, --dynamodb-local)');
  }
  if (given !== undefined) await runGivenStore(parts, given);
}

/** What the user asks for, and nothing else: DynamoDB Local has terms that are the user's to accept. */
async function storeThatStores(parts: Bench): Promise<Store | undefined> {
  const { dynamodbUrl, isDynamodbLocal, bench } = parts;
  const group = bench.workplace.group('given-store');
  const url = dynamodbUrl ?? (isDynamodbLocal ? await localDynamodb(parts, group) : undefined);
  return url === undefined ? undefined : await useGivenStore(group, url, mesh);
}

async function localDynamodb({ notRun, ...options }: Bench, group: Group): Promise<string | undefined> {
  try {
    return await startDynamodbLocal(group, await fetchDynamodbLocal(options));
  } catch (error) {
    if (!(error instanceof TokenmeshError) || error.code !== 'ERR_BENCH_DYNAMODB_LOCAL') throw error;
    notRun.push(`the rounds on DynamoDB Local: ${error.message}`);
    return undefined;
  }
}

/** Too much at once is refused, and that is no reason to leave out all the rest. */
async function compareAsFarAsItGoes(parts: Bench, ...load: LoadOfTargets): Promise<void> {
  try {
    await compareAll(parts, ...load);
  } catch (error) {
    if (!(error instanceof TokenmeshError) || error.code !== 'ERR_BENCH_ANSWERS') throw error;
    parts.notRun.push(error.message);
  }
}

type LoadOfTargets = [
  operation: Operation,
  targets: readonly Target[],
  connections: number,
  plan: ComparisonPlan,
];

async function compareAll(
  { measuring }: Bench,
  ...[operation, targets, connections, plan]: LoadOfTargets
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

async function runGivenStore(parts: Bench, store: Store): Promise<void> {
  const { bench, plan } = parts;
  const [tokenizer, usual] = await Promise.all([
    startTarget(bench, { name: 'tokenizer', kind: 'tokenizer', store }),
    startTarget(bench, { name: 'usual', kind: 'usual', store }),
  ]);
  for (const operation of parts.operations) {
    await compareAsFarAsItGoes(parts, operation, [tokenizer, usual], MAIN_CONNECTIONS, plan.side);
  }
  await stopAll([tokenizer, usual]);
}
