/**
 * The parts beside the rounds, each on processes of its own.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SealOpenRound } from '../seal-open.ts';
import { stopAll, storeFor, type Bench } from './bench-parts.ts';
import { measureMemory, type MemoryResult } from './memory.ts';
import type { Operation } from './operations.ts';
import { KEY_SECONDS, MAIN_CONNECTIONS } from './plan.ts';
import { monotonicUs, readProfile, type ProfileResult } from './profile.ts';
import { measureRefresh, type RefreshResult } from './refresh.ts';
import { amountFor, orderFor, warm } from './rounds.ts';
import { startTarget, vaultEnvironment, type AppKind } from './target.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

const PROFILE_ROUNDS = 2;

export async function runMemory(parts: Bench): Promise<MemoryResult> {
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

export async function runRefresh(parts: Bench): Promise<RefreshResult | undefined> {
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

export async function runSealOpen(parts: Bench): Promise<SealOpenRound[]> {
  const { plan, say, signal } = parts;
  const store = await storeFor(parts, 'seal-open');
  say('seal and open in process');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(PROJECT_ROOT, 'bench', 'seal-open.ts')],
    {
      signal,
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
export async function runProfiles(parts: Bench): Promise<Record<string, ProfileResult>> {
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
  const target = await startTarget(bench, { name: 'profile', kind, store, profileDirectory });
  const load = { operation: operation.name, connections: MAIN_CONNECTIONS, tokens: [] };
  const rate = await warm(measuring, target, load, plan.main.warmSeconds);
  const amount = amountFor(rate, PROFILE_ROUNDS * plan.main.seconds, MAIN_CONNECTIONS);
  const loadUs = monotonicUs();
  await measuring.generator.run(orderFor(target, load, amount));
  await stopAll([target]);
  return readProfile(profileDirectory, amount * operation.items, loadUs);
}
