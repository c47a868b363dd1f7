import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TokenmeshError } from '../../../errors/error.ts';
import type { Mesh } from '../../../mesh/definition.ts';
import { identityOf, memberNames } from '../../../mesh/identity.ts';
import { compilePolicies } from '../core/policy.ts';
import {
  compilePolicySet,
  SHIPPED_POLICIES_DIRECTORY,
  type PolicySet,
  type PolicySource,
} from './policy-set.ts';

/** Far more than policies need: a file over it is another kind of file. */
const MAX_POLICY_FILE_BYTES = 256 * 1024;

/** What an editor leaves beside a file it has open. */
const EDITORS_OWN = /^[.#]|~$/;
const NOT_POLICIES = /\.(cedarschema|md)$/;

/**
 * The policies of a folder: all `*.cedar` files in it, in the order of their names.
 *
 * Hidden files, an editor's own, `*.md` and the schema's copy are left out. Anything else is refused
 * rather than ignored: a `forbid` under a misspelt name would be missing without a word.
 *
 * @throws {TokenmeshError} `ERR_POLICY_DIRECTORY`
 */
export async function readPolicyFiles(directory: string): Promise<PolicySource[]> {
  const entries = await readdir(directory).catch((cause: unknown) => {
    throw unusable(directory, 'expected a folder of *.cedar files that can be read', cause);
  });
  const names = entries.filter((name) => !EDITORS_OWN.test(name) && !NOT_POLICIES.test(name)).toSorted();
  const strangers = names.filter((name) => !name.endsWith('.cedar'));
  if (strangers.length > 0) {
    throw unusable(
      directory,
      `expected policies in files named *.cedar, got ${strangers.map(show).join(', ')}`,
    );
  }
  return await Promise.all(names.map(async (name) => ({ name, text: await readPolicy(directory, name) })));
}

async function readPolicy(directory: string, name: string): Promise<string> {
  const bytes = await readFile(join(directory, name)).catch((cause: unknown) => {
    throw unusable(directory, `expected a file that can be read, got ${show(name)}`, cause);
  });
  if (bytes.length > MAX_POLICY_FILE_BYTES) {
    throw unusable(
      directory,
      `expected at most ${MAX_POLICY_FILE_BYTES} bytes in ${show(name)}, got ${bytes.length}`,
    );
  }
  return bytes.toString('utf8');
}

/** Where the policy files are: the operator's command looks where the service does. */
export function policiesDirectoryIn(env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env['TOKENMESH_POLICIES_DIRECTORY'] || SHIPPED_POLICIES_DIRECTORY);
}

/** All policies in force for a mesh: those made from its definition, and those of files. */
export function compileWithMesh(mesh: Mesh, files: readonly PolicySource[]): PolicySet {
  const generated = { name: 'the mesh definition', text: compilePolicies(mesh), isGenerated: true };
  return compilePolicySet(
    [generated, ...files],
    memberNames(mesh).map((node) => identityOf(mesh, node)),
  );
}

/** Names a state of the files: the same for the same names and texts, on every task. */
export function revisionOf(files: readonly PolicySource[]): string {
  const content = JSON.stringify(files.map(({ name, text }) => [name, text]));
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

function show(name: string): string {
  return JSON.stringify(name.replaceAll(/\d{6,}/g, '[digits]').slice(0, 80));
}

function unusable(directory: string, what: string, cause?: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_POLICY_DIRECTORY',
    message: `the folder of the policies (${directory}) cannot be used: ${what}`,
    remedy: 'correct the folder or its files, or name another in TOKENMESH_POLICIES_DIRECTORY',
    cause,
  });
}
