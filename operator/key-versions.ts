/**
 * `mesh keys`: the versions of branch keys, and what is sealed under them.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import {
  branchKeysOfSubjects,
  destroyBranchKeyVersion,
  findBranchKey,
  rotateBranchKey,
  type BranchKeyVersions,
} from '../sidecar/tokenizer/adapters/branch-key-versions.ts';
import type { KeyStoreLocation } from '../sidecar/tokenizer/adapters/branch-key-store.ts';
import type { KeyOwner } from '../sidecar/tokenizer/adapters/branch-keys.ts';
import type { Table } from '../sidecar/tokenizer/adapters/dynamodb-batches.ts';
import { createDynamodbRewrapAsks } from '../sidecar/tokenizer/adapters/dynamodb-rewrap-asks.ts';
import { sealedRowsOf } from '../sidecar/tokenizer/adapters/dynamodb-sealed-rows.ts';
import { branchKeyIdOf } from '../sidecar/tokenizer/core/crypto/branch-key-id.ts';
import { countOf, takeCensus } from '../sidecar/tokenizer/core/rewrapping/census.ts';
import type { RewrapAsk, RewrapAsks } from '../sidecar/tokenizer/core/rewrapping/ports.ts';
import { LEFT_KINDS, type RewrapProgress } from '../sidecar/tokenizer/core/rewrapping/progress.ts';
import { censusOf, censusReport, olderIn } from './key-census.ts';
import {
  requireActive,
  requireKey,
  requireOlder,
  revocationUnconfirmed,
  rewrapUnderWay,
  rotationOvertaken,
  versionInUse,
} from './key-problems.ts';
import { addKeyMaterialCommands, type KeyMaterialCommandParts } from './key-material.ts';
import { settledAt, settledForSureAt } from './key-settling.ts';
import { boundOf, keyStoreOf, requireNames, wordsFor, type KeysCommandParts } from './keys.ts';
import { shown, watchRewrap } from './rewrap-watch.ts';
import type { RunState } from './run-state.ts';
import { EXIT_NOT_HELD } from './exit-codes.ts';

/** Rows sealed anew in a second: a write unit each for most, beside the traffic of a small table. */
const DEFAULT_PER_SECOND = 200;

interface Keys {
  readonly keys: KeyStoreLocation;
  readonly tokens: Table;
  readonly asks: RewrapAsks;
}

function keysOf(state: RunState): Keys {
  const keys = keyStoreOf(state);
  const tokens = { client: keys.dynamodb, tableName: state.tables.tokens };
  return { keys, tokens, asks: createDynamodbRewrapAsks(tokens) };
}

interface JsonOption {
  readonly json?: boolean;
}

export function addKeyVersionsCommand(program: Command, parts: KeyMaterialCommandParts): void {
  const keys = program
    .command('keys')
    .description(
      'the keys that values are sealed under: rotate, rewrap, count, destroy; key material of your own',
    );
  addRotate(keys, parts);
  addRewrap(keys, parts);
  addCensus(keys, parts);
  addRevoke(keys, parts);
  addKeyMaterialCommands(keys, parts);
}

interface SubjectOption extends JsonOption {
  readonly subject?: string;
}

function addRotate(command: Command, { runningMesh, print }: KeysCommandParts): void {
  command
    .command('rotate')
    .description('make a new version of a key: everything is sealed under it from now on')
    .argument('<tenant>', 'the tenant')
    .option('--subject <subject>', "the subject's key in place of the tenant's")
    .option('--json', 'print one JSON document')
    .action(async (tenant: string, options: SubjectOption) => {
      const owner = ownerOf(tenant, options);
      const [before, after] = await rotate(keysOf(runningMesh()), owner);
      print(
        options.json === true
          ? JSON.stringify({ ...owner, before, after }, null, 2)
          : [
              `${wordsFor(owner)}: version ${before} -> ${after}`,
              `every task seals under the new version after ${boundOf(owner)}; the old one goes on to open what it sealed`,
              `to have that sealed anew: npm run mesh -- keys rewrap ${tenant}`,
            ].join('\n'),
      );
    });
}

async function rotate(
  { keys, asks }: Keys,
  owner: KeyOwner,
): Promise<readonly [before: string, after: string]> {
  const before = requireActive(requireKey(await findBranchKey(keys, owner), owner));
  if ((await rotateBranchKey(keys, owner)) === 'overtaken') throw rotationOvertaken();
  const rotated = requireKey(await findBranchKey(keys, owner), owner);
  const ask = await asks.find(owner.tenant);
  if (ask !== undefined) {
    await asks.put(owner.tenant, { ...ask, id: randomUUID(), startAt: settledAt(rotated) });
    process.stderr.write('records were being sealed anew: that begins again, under the new version\n');
  }
  return [before.version, requireActive(rotated).version];
}

interface RewrapOptions extends JsonOption {
  readonly perSecond?: number;
}

function addRewrap(command: Command, { runningMesh, print }: KeysCommandParts): void {
  command
    .command('rewrap')
    .description(
      'have the tokenizer seal anew what is sealed under older versions, of the tenant and its subjects, and watch it; run it again to watch again',
    )
    .argument('<tenant>', 'the tenant')
    .option(
      '--per-second <rows>',
      `rows that are written in a second at most, from 1 to 10000 (default: ${DEFAULT_PER_SECOND}); also for one under way`,
      rowsOf,
    )
    .option('--json', 'print one JSON document at the end')
    .action(async (tenant: string, options: RewrapOptions) => {
      requireNames({ tenant });
      const keys = keysOf(runningMesh());
      const ask = await askedFor(keys, tenant, options.perSecond);
      const done = await watchRewrap({ ...keys, tenant }, ask);
      if (done === 'left') {
        process.stderr.write(
          `watching stopped; the work goes on. Watch again: npm run mesh -- keys rewrap ${tenant}\n`,
        );
        process.exitCode = EXIT_NOT_HELD;
        return;
      }
      await tellRewrapped(keys, tenant, done, options, print);
    });
}

/** The one that is under way, or a new one. */
async function askedFor(
  { keys, asks }: Keys,
  tenant: string,
  perSecond: number | undefined,
): Promise<RewrapAsk> {
  const key = requireKey(await findBranchKey(keys, { tenant }), { tenant });
  const underWay = await asks.find(tenant);
  if (underWay !== undefined) {
    const ask = { ...underWay, perSecond: perSecond ?? underWay.perSecond };
    process.stderr.write(`under way already, at ${ask.perSecond} rows a second at most\n`);
    if (ask.perSecond !== underWay.perSecond) await asks.put(tenant, ask);
    return ask;
  }
  const settled = [key, ...(await branchKeysOfSubjects(keys, tenant))].map((each) =>
    settledAt(each).getTime(),
  );
  const startAt = new Date(settled.reduce((latest, each) => Math.max(latest, each), Date.now()));
  const ask = { id: randomUUID(), perSecond: perSecond ?? DEFAULT_PER_SECOND, startAt };
  await asks.put(tenant, ask);
  return ask;
}

/** Held where all that opens is under the newest versions now. */
async function tellRewrapped(
  keys: Keys,
  tenant: string,
  progress: RewrapProgress,
  { json }: JsonOption,
  print: (text: string) => void,
): Promise<void> {
  const older = olderIn(await censusOf(keys, tenant, new Date()));
  const { ask: _, cursor: __, isPageBegun: ___, isDone: ____, ...counts } = progress;
  if (json === true) print(JSON.stringify({ tenant, ...counts, older }, null, 2));
  else print([`tenant ${tenant}: ${shown(progress)}`, ...leftLines(progress), olderLine(older)].join('\n'));
  const { unopenable, unreadable } = progress.left;
  if (unopenable.count + unreadable.count + older > 0) process.exitCode = EXIT_NOT_HELD;
}

function leftLines({ left }: RewrapProgress): string[] {
  return LEFT_KINDS.flatMap((kind) => {
    const { count, references } = left[kind];
    if (count === 0) return [];
    const more = count > references.length ? ` and ${count - references.length} more` : '';
    return [`${kind}, by the references of the audit: ${references.join(' ')}${more}`];
  });
}

function olderLine(older: number): string {
  return older === 0
    ? 'messages under older versions: 0'
    : `messages under older versions: ${older}; see npm run mesh -- keys census, and run this again`;
}

function addCensus(command: Command, { runningMesh, print }: KeysCommandParts): void {
  command
    .command('census')
    .description('the versions of the keys, and how many messages are sealed under each; no key is needed')
    .argument('<tenant>', 'the tenant')
    .option('--json', 'print one JSON document')
    .action(async (tenant: string, { json }: JsonOption) => {
      requireNames({ tenant });
      const census = await censusOf(keysOf(runningMesh()), tenant, new Date());
      print(json === true ? JSON.stringify(census, null, 2) : censusReport(census));
    });
}

interface RevokeOptions extends SubjectOption {
  readonly yes?: boolean;
  readonly force?: boolean;
}

function addRevoke(command: Command, { runningMesh, print }: KeysCommandParts): void {
  command
    .command('revoke-version')
    .description('destroy an older version of a key: what is still sealed under it never opens again')
    .argument('<tenant>', 'the tenant')
    .argument('<version>', 'the version, as keys census shows it')
    .option('--subject <subject>', "a version of the subject's key in place of the tenant's")
    .option('--yes', 'do it: it cannot be taken back')
    .option('--force', 'though there are messages under it, which are lost then')
    .option('--json', 'print one JSON document')
    .action(async (tenant: string, version: string, options: RevokeOptions) => {
      const owner = ownerOf(tenant, options);
      const lost = await revoke(keysOf(runningMesh()), owner, version, options);
      const loss = lost === 0 ? '' : `; ${lost} messages never open again`;
      print(
        options.json === true
          ? JSON.stringify({ ...owner, version, lost }, null, 2)
          : `${wordsFor(owner)}: version ${version} destroyed; no task opens anything of it after ${boundOf(owner)}${loss}`,
      );
    });
}

/** @returns How many messages are lost by it. */
async function revoke(
  all: Keys,
  owner: KeyOwner,
  version: string,
  { force, yes }: RevokeOptions,
): Promise<number> {
  const key = requireKey(await findBranchKey(all.keys, owner), owner);
  requireOlder(key, version);
  if (force !== true) {
    if ((await all.asks.find(owner.tenant)) !== undefined) throw rewrapUnderWay(owner.tenant);
    const used = await messagesUnder(all, owner, version);
    if (used > 0) throw versionInUse(owner, used);
    if (yes === true) await untilNobodySeals(key);
  }
  // Again, since something may have been sealed under it while it was waited.
  const lost = await messagesUnder(all, owner, version);
  if (force !== true && lost > 0) throw versionInUse(owner, lost);
  if (yes !== true) throw revocationUnconfirmed(owner, lost);
  await destroyBranchKeyVersion(all.keys, owner, version);
  return lost;
}

async function messagesUnder({ tokens }: Keys, owner: KeyOwner, version: string): Promise<number> {
  const census = await takeCensus(sealedRowsOf(tokens, owner.tenant), new Date());
  return countOf(census, branchKeyIdOf(owner), version);
}

/** A task that does not hear of a rotation goes on under the old version for a while. */
async function untilNobodySeals(key: BranchKeyVersions): Promise<void> {
  const waitMs = settledForSureAt(key).getTime() - Date.now();
  if (waitMs <= 0) return;
  process.stderr.write(`waiting ${Math.ceil(waitMs / 1000)} s until no task can seal under it any more\n`);
  await sleep(waitMs);
}

function ownerOf(tenant: string, { subject }: SubjectOption): KeyOwner {
  const owner = subject === undefined ? { tenant } : { tenant, subject };
  requireNames(owner);
  return owner;
}

function rowsOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 10_000) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 to 10000');
}
