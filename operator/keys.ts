/**
 * `mesh tenants` and `mesh subjects`: makes the keys that values are sealed under, and destroys them.
 *
 * @module
 */

import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import { createBranchKey, destroyKeys, type KeyOwner } from '../sidecar/tokenizer/adapters/branch-keys.ts';
import { createFingerprintKey } from '../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import type { KeyStoreLocation } from '../sidecar/tokenizer/adapters/branch-key-store.ts';
import { SUBJECT_FRESHNESS, TENANT_FRESHNESS } from '../sidecar/tokenizer/vault-keys.ts';
import { emulatorClients } from './aws-clients.ts';
import type { RunState } from './run-state.ts';

export interface KeysCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

/** As the API takes it, so that no key is made that nobody could ask for. */
const NAME = /^(?!(?:.*\d){12})[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

interface ShredOptions {
  readonly yes?: boolean;
}

export function addKeysCommands(program: Command, { runningMesh, print }: KeysCommandParts): void {
  const tenants = program.command('tenants').description('the keys of tenants: make them, destroy them');
  tenants
    .command('create')
    .description('make the key of a tenant; nothing changes where there is one')
    .argument('<tenant>', 'the tenant')
    .action(async (tenant: string) => print(await create(runningMesh(), { tenant })));
  tenants
    .command('shred')
    .description(
      'destroy every key of a tenant, its subjects and its fingerprints: nothing of it opens any more',
    )
    .argument('<tenant>', 'the tenant')
    .option('--yes', 'do it: it cannot be taken back')
    .action(async (tenant: string, options: ShredOptions) =>
      print(await shred(runningMesh(), { tenant }, options)),
    );
  const subjects = program
    .command('subjects')
    .description('keys of their own for those whose data is to be destroyed by itself');
  subjects
    .command('create')
    .description('make the key of a subject, so that records may name it')
    .argument('<tenant>', 'the tenant')
    .argument('<subject>', 'an id that says nothing about the person')
    .action(async (tenant: string, subject: string) =>
      print(await create(runningMesh(), { tenant, subject })),
    );
  subjects
    .command('shred')
    .description("destroy a subject's key: nothing that was sealed for the subject opens any more")
    .argument('<tenant>', 'the tenant')
    .argument('<subject>', 'the subject')
    .option('--yes', 'do it: it cannot be taken back')
    .action(async (tenant: string, subject: string, options: ShredOptions) =>
      print(await shred(runningMesh(), { tenant, subject }, options)),
    );
}

async function create(state: RunState, owner: KeyOwner): Promise<string> {
  requireNames(owner);
  const outcome = await createBranchKey(keyStoreOf(state), owner);
  if (owner.subject === undefined) await createFingerprintKey(keyStoreOf(state), owner.tenant);
  return `${wordsFor(owner)}: ${outcome === 'created' ? 'key made' : 'has a key already; nothing was changed'}`;
}

async function shred(state: RunState, owner: KeyOwner, { yes }: ShredOptions): Promise<string> {
  requireNames(owner);
  if (yes !== true) throw unconfirmed(owner);
  const keys = await destroyKeys(keyStoreOf(state), owner, new Date());
  if (keys === 0) return `${wordsFor(owner)}: no key is left`;
  return `${wordsFor(owner)}: ${keys} keys destroyed; no task opens anything of it after ${boundOf(owner)}`;
}

/** What a task may still hold in memory, and for how long. */
export function boundOf({ subject }: KeyOwner): string {
  if (subject !== undefined) return `${SUBJECT_FRESHNESS.seenAtLastMs / 1000} s`;
  const { seenWithinMs, seenAtLastMs } = TENANT_FRESHNESS;
  const [within, atLast] = [seenWithinMs, seenAtLastMs].map((ms) => ms / 1000);
  return `${within} s (${atLast} s for one that cannot read the key store)`;
}

export function keyStoreOf(state: RunState): KeyStoreLocation {
  const { dynamodb, kms } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  return { dynamodb, kms, keysTableName: state.tables.keys, kmsKeyArn: state.vaultKeyArn };
}

export function wordsFor({ tenant, subject }: KeyOwner): string {
  return subject === undefined ? `tenant ${tenant}` : `subject ${subject} of tenant ${tenant}`;
}

/** @throws {TokenmeshError} `ERR_KEY_OWNER_NAME` */
export function requireNames(owner: KeyOwner): void {
  if (Object.values(owner).every((name) => NAME.test(name))) return;
  throw new TokenmeshError({
    code: 'ERR_KEY_OWNER_NAME',
    message:
      'no key can have this name: expected 1 to 64 letters, digits, ".", "_" and "-", and no row of digits as long as a card number',
    remedy: 'name the tenant as in the mesh definition, the subject by an id of your own',
  });
}

function unconfirmed(owner: KeyOwner): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_SHRED_UNCONFIRMED',
    message: `nothing was destroyed of ${wordsFor(owner)}: expected --yes, since it cannot be taken back`,
    remedy: 'see that nobody needs it any more, then run the command again with --yes',
  });
}
