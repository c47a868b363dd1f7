/**
 * `mesh fingerprints`: which versions of a tenant's fingerprint key there are, and their rotation.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import type { KeyStoreLocation } from '../sidecar/tokenizer/adapters/branch-key-store.ts';
import { createFingerprintVersion } from '../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import {
  readFingerprintState,
  writeFingerprintState,
  type FingerprintState,
  type RotationPhase,
} from '../sidecar/tokenizer/adapters/fingerprint-state.ts';
import { RING_LEASE_MS } from '../sidecar/tokenizer/core/fingerprints/ports.ts';
import type { ReindexProgress } from '../sidecar/tokenizer/core/fingerprints/reindexing.ts';
import {
  deleteVersionsBut,
  readReindexProgress,
  removeRowsOfVersion,
  type OldRows,
} from './fingerprint-rows.ts';
import { keyStoreOf } from './keys.ts';
import type { RunState } from './run-state.ts';

export interface FingerprintsCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

/** After so long every task acts on a changed state: the lease, and what was under way when it ended. */
const SETTLE_MS = RING_LEASE_MS + 6_000;
const PROGRESS_EVERY_MS = 2_000;

interface RotateOptions {
  readonly forget?: boolean;
}

export function addFingerprintsCommand(program: Command, parts: FingerprintsCommandParts): void {
  const { runningMesh, print } = parts;
  const fingerprints = program
    .command('fingerprints')
    .description('the keys by which values are recognized: their versions, and their rotation');
  fingerprints
    .command('status')
    .description('versions in use, and how far a rotation is')
    .argument('<tenant>', 'the tenant')
    .option('--json', 'print one JSON document')
    .action(async (tenant: string, options: { json?: boolean }) => {
      const rotation = rotationOf(runningMesh(), tenant);
      const [state, progress] = [await rotation.state(), await rotation.progress()];
      const { write, read, phase } = state;
      print(
        options.json === true
          ? JSON.stringify({ tenant, write, read, phase, progress: progress ?? null }, null, 2)
          : `tenant ${tenant}: written under ${write.join(', ')}, read under ${read.join(', ')}, ${phase}${shown(progress)}`,
      );
    });
  fingerprints
    .command('rotate')
    .description(
      'replace the key by a new version, while reads and writes go on; run it again if it was cut off',
    )
    .argument('<tenant>', 'the tenant')
    .option('--forget', 'drop one-way tokens whose value was not seen since the new version')
    .action(async (tenant: string, options: RotateOptions) => {
      print(await rotate(rotationOf(runningMesh(), tenant), options));
    });
}

interface Rotation {
  readonly tenant: string;
  readonly keys: KeyStoreLocation;
  readonly state: () => Promise<FingerprintState>;
  readonly progress: () => Promise<ReindexProgress | undefined>;
  readonly removeRows: (version: number, oneWayToo: boolean) => Promise<OldRows>;
}

function rotationOf(state: RunState, tenant: string): Rotation {
  const keys = keyStoreOf(state);
  const { dynamodb } = keys;
  return {
    tenant,
    keys,
    state: async () => (await readFingerprintState(keys, tenant)) ?? unknownTenant(),
    progress: () => readReindexProgress({ client: dynamodb, tableName: state.tables.tokens }, tenant),
    removeRows: (version, oneWayToo) =>
      removeRowsOfVersion(
        { client: dynamodb, tableName: state.tables.fingerprints },
        tenant,
        version,
        oneWayToo,
      ),
  };
}

/** Does the next step until there is none, whichever was the last that was done. */
async function rotate(rotation: Rotation, options: RotateOptions): Promise<string> {
  let state = await rotation.state();
  const isBegun = state.phase !== 'steady';
  if (!isBegun && options.forget === true && state.read.length > 1)
    return await retire(rotation, state, true);
  if (!isBegun) state = await begin(rotation, state);
  else tell(`going on with a rotation that was cut off: ${state.phase}`);
  if (state.phase === 'reading') state = await writeBoth(rotation, state);
  if (state.phase === 'writing') state = await startIndexing(rotation, state);
  if (state.phase === 'indexing') state = await finishIndexing(rotation, state);
  return await retire(rotation, state, options.forget === true);
}

async function begin(rotation: Rotation, state: FingerprintState): Promise<FingerprintState> {
  const next = Math.max(...state.read) + 1;
  tell(`making version ${next}`);
  await createFingerprintVersion(rotation.keys, rotation.tenant, next);
  return await change(rotation, state, { read: [next, ...state.read], phase: 'reading' });
}

async function writeBoth(rotation: Rotation, state: FingerprintState): Promise<FingerprintState> {
  await settle('every task reads both versions');
  const [newest = 1] = state.read;
  return await change(rotation, state, { write: [...state.write, newest], phase: 'writing' });
}

async function startIndexing(rotation: Rotation, state: FingerprintState): Promise<FingerprintState> {
  await settle('every task writes both versions');
  return await change(rotation, state, { phase: 'indexing' });
}

async function finishIndexing(rotation: Rotation, state: FingerprintState): Promise<FingerprintState> {
  const [newest = 1] = state.read;
  for (;;) {
    const progress = await rotation.progress();
    if (progress?.version === newest) tell(`indexing what is stored${shown(progress)}`);
    if (progress?.version === newest && progress.isDone) break;
    await sleep(PROGRESS_EVERY_MS);
  }
  return await change(rotation, state, { write: [newest], phase: 'retiring' });
}

async function retire(rotation: Rotation, state: FingerprintState, isToForget: boolean): Promise<string> {
  if (state.phase === 'retiring') await settle('no task writes the old version any more');
  const [newest = 1, ...old] = state.read;
  const kept: number[] = [];
  let oneWay = 0;
  for (const version of old) {
    const rows = await rotation.removeRows(version, isToForget);
    tell(`version ${version}: ${rows.removed} rows removed`);
    if (rows.oneWayLeft > 0) kept.push(version);
    else await rotation.removeRows(version, true);
    oneWay += rows.oneWayLeft;
  }
  // Not steady before the keys are destroyed: a command that was cut off here goes on with that.
  const read = [newest, ...kept];
  const dropped = await change(rotation, state, { write: [newest], read, phase: 'retiring' });
  if (kept.length < old.length) await settle('no task reads the old version any more');
  await deleteVersionsBut(rotation.keys, rotation.tenant, read);
  await change(rotation, dropped, { phase: 'steady' });
  const left =
    oneWay === 0
      ? ''
      : `; ${oneWay} one-way tokens keep version ${kept.join(', ')} until their values are seen again (--forget drops them)`;
  return `tenant ${rotation.tenant}: version ${newest} is in use${left}`;
}

async function change(
  { keys, tenant }: Rotation,
  state: FingerprintState,
  to: Partial<FingerprintState> & { readonly phase: RotationPhase },
): Promise<FingerprintState> {
  const next = { ...state, ...to, revision: state.revision + 1 };
  if (await writeFingerprintState(keys, tenant, next)) return next;
  throw new TokenmeshError({
    code: 'ERR_ROTATION_OVERTAKEN',
    message: 'the rotation was changed by another command meanwhile: expected this one to be alone',
    remedy: 'see how far it is (npm run mesh -- fingerprints status), and let one command go on',
  });
}

async function settle(what: string): Promise<void> {
  tell(`waiting ${SETTLE_MS / 1000} s until ${what}`);
  await sleep(SETTLE_MS);
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

function shown(progress: ReindexProgress | undefined): string {
  if (progress === undefined) return '';
  const { version, records, indexed, oneWay, unopenable, isDone } = progress;
  return `: version ${version}, ${records} records looked through, ${indexed} indexed, ${oneWay} one-way, ${unopenable} that do not open${isDone ? ', done' : ''}`;
}

function unknownTenant(): never {
  throw new TokenmeshError({
    code: 'ERR_TENANT_UNKNOWN',
    message: 'the tenant has no fingerprint key: expected one that an operator made',
    remedy: 'correct the name, or make its keys: npm run mesh -- tenants create <tenant>',
  });
}
