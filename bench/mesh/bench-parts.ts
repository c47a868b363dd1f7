/**
 * What the parts of the bench share.
 *
 * @module
 */

import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import type { Operation } from './operations.ts';
import type { Plan } from './plan.ts';
import type { Measuring, Round } from './rounds.ts';
import { startStubStore, type Store } from './stores.ts';
import type { BenchParts, Target } from './target.ts';

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
  /** At which the rounds go on beside the main number of connections. */
  readonly sideConnections: readonly number[];
  /** A DynamoDB to run the rounds on as well. */
  readonly dynamodbUrl?: string;
  /** Whether that is DynamoDB Local, fetched by Maven. */
  readonly isDynamodbLocal: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What the parts share. */
export interface Bench extends MeshBenchOptions {
  readonly bench: BenchParts;
  readonly measuring: Measuring;
  readonly rounds: Round[];
  readonly notRun: string[];
}

/** For a target of the name. */
export async function storeFor({ bench }: Bench, name: string): Promise<Store> {
  return await startStubStore(bench.workplace.group(`${name}-store`), mesh);
}

/** The apps first: whoever stops has something to store yet. */
export async function stopAll(targets: readonly Target[]): Promise<void> {
  await Promise.all(targets.map(async (each) => await each.stop()));
  await Promise.all([...new Set(targets.map(({ store }) => store))].map(async (each) => await each.stop()));
}
