/**
 * A fault that lasts a while under load and is lifted then: what callers got meanwhile, how long it took until all
 * went on, and whether the promises were kept.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { loadWhile, tokenizeOne, type Answers } from './load.ts';
import type { OwnMesh } from './own-mesh.ts';
import { checkPromises } from './promises.ts';
import type { Say } from './scene.ts';

const BEFORE_MS = 500;
const BACK_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;

/**
 * What a caller gets where the emulated AWS is late: it shares its machine with the mesh and with whatever else is
 * done there, such as the tests beside. A few of these belong to no fault.
 */
export const LATE = ['503 ERR_STORE_UNAVAILABLE', '503 ERR_AUDIT_UNAVAILABLE', '503 ERR_KEY_UNAVAILABLE'];
/** Of all answers. */
const LATE_AT_MOST = 0.05;

/** Of the mesh, so that an answer comes later than it never does. */
const LONGEST_ANSWER_MS = 35_000;

export interface Outage {
  readonly title: string;
  readonly seconds: number;
  /**
   * @param say - For what else there is to tell.
   * @returns Lifts the fault, and says how often it did harm.
   */
  begin(mesh: OwnMesh, say: Say): Promise<() => Promise<number> | number>;
  /** Beside answers as ever, what callers may get: `503 ERR_STORE_UNAVAILABLE`. */
  readonly mayGet: readonly string[];
  /** What at least one caller must have got: the fault has come through to them. */
  readonly mustGet?: readonly string[];
}

/** @returns Whether everything held. */
export async function playOutage(outage: Outage, mesh: OwnMesh, say: Say): Promise<boolean> {
  const { result, answers } = await loadWhile(mesh.callers, mesh.ledger, async () => {
    await sleep(BEFORE_MS);
    const lift = await outage.begin(mesh, say);
    await sleep(outage.seconds * 1000);
    const hits = await lift();
    return { hits, backMs: await untilBack(mesh) };
  });
  say(`  callers got       ${String(answers)}`);
  say(`  longest answer    ${seconds(answers.longestMs)}`);
  say(
    `  fault             ${outage.seconds} s, did harm ${result.hits} times; back ${seconds(result.backMs)} after it`,
  );
  const wrong = [
    ...(result.hits === 0 ? ['the fault did no harm'] : []),
    ...unexpected(outage, answers),
    ...(await settle(mesh, say)),
  ];
  return verdict(wrong, say);
}

/** Prints what does not hold. @returns Whether everything does. */
export function verdict(broken: readonly string[], say: Say): boolean {
  for (const each of broken) say(`  BROKEN            ${each}`);
  return broken.length === 0;
}

/** Prints what the promises came to. @returns What does not hold. */
export async function settle({ ledger, evidence }: OwnMesh, say: Say): Promise<readonly string[]> {
  const kept = await checkPromises(ledger, evidence);
  say(`  handed out so far ${kept.handedOut} tokens: each opened`);
  say(
    `  refused so far    ${kept.refused} values; unsure ${kept.unsure}, of which ${kept.storedUnsure} are stored`,
  );
  say(`  searched          ${kept.search.files} files, ${kept.search.items} items of tables`);
  return kept.broken;
}

/** How long it took until a value was tokenized and opened again, and every service said that it is ready. */
export async function untilBack({ callers, ledger }: OwnMesh): Promise<number> {
  const started = performance.now();
  const isBack = async (): Promise<boolean> => {
    const { status } = await tokenizeOne(callers, ledger);
    const last = ledger.handedOut.at(-1);
    if (status !== 201 || last === undefined) return false;
    const { cards } = await callers.detokenizeBatch([last.token]);
    return cards[0] === last.card;
  };
  while (!(await isBack())) {
    if (performance.now() - started > BACK_WITHIN_MS) {
      throw new Error(`expected the mesh to be back within ${BACK_WITHIN_MS / 1000} s`);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return performance.now() - started;
}

function unexpected({ mayGet, mustGet = [] }: Outage, answers: Answers): string[] {
  const foreign = answers.names.filter((name) => {
    const told = name.replace(/^item /, '');
    return told !== 'answered' && !mayGet.includes(told) && !mustGet.includes(told);
  });
  const late = foreign.filter((name) => LATE.includes(name.replace(/^item /, '')));
  const isSeldom = sum(late.map((name) => answers.count(name))) <= LATE_AT_MOST * answers.total;
  const stranger = isSeldom ? foreign.filter((name) => !late.includes(name)) : foreign;
  const missing = mustGet.filter((name) => answers.count(name) + answers.count(`item ${name}`) === 0);
  return [
    ...stranger.map((name) => `callers got ${name}, which is not what this fault gives`),
    ...missing.map((name) => `no caller got ${name}`),
    ...(answers.unguided === 0 ? [] : [`${answers.unguided} answers of 503 had no Retry-After`]),
    ...(answers.wrong === 0 ? [] : [`${answers.wrong} tokens opened to another value`]),
    ...(answers.longestMs <= LONGEST_ANSWER_MS ? [] : ['an answer took longer than the mesh permits']),
  ];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
