/**
 * Policies that follow the files of a folder while the service runs.
 *
 * @module
 */

import { watch, type FSWatcher } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../../errors/error.ts';
import type { Mesh } from '../../../mesh/definition.ts';
import type { Policy } from '../core/policy.ts';
import { createCedarPolicy, type CedarPolicy } from './cedar-policy.ts';
import { compileWithMesh, readPolicyFiles, revisionOf } from './policy-files.ts';
import type { PolicySource } from './policy-set.ts';

/** What is in force, and whether the files say something else that was refused. */
export interface PolicyStatus {
  /** Of the files that are in force. */
  readonly revision: string;
  readonly policies: number;
  readonly loadedAt: Date;
  readonly refused?: { readonly at: Date; readonly problem: string };
}

export interface PolicyFolder {
  readonly policy: Policy;
  status(): PolicyStatus;
  /** Stops following the files. */
  close(): void;
}

export interface PolicyFolderParts {
  readonly directory: string;
  readonly mesh: Mesh;
  readonly now: () => Date;
  /** Told of every change of {@link PolicyFolder.status}, the first at the start. */
  readonly onStatus: (status: PolicyStatus) => void;
  readonly timing?: PolicyFolderTiming;
}

export interface PolicyFolderTiming {
  /** Files count once they have stayed the same for so long: none is taken while it is being written. */
  readonly settleMs: number;
  /** How often the files are looked at though nobody told of a change: not every file system tells. */
  readonly pollMs: number;
}

const TIMING: PolicyFolderTiming = { settleMs: 150, pollMs: 2_000 };

/**
 * Follows `directory`. A change of the files that is valid is in force at once; one that is not is
 * refused as a whole, told of, and changes nothing.
 *
 * @throws {TokenmeshError} `ERR_POLICY_DIRECTORY`, `ERR_POLICY_INVALID` for the files as they are at the
 *   start: there is nothing older to fall back on.
 */
export async function openPolicyFolder(parts: PolicyFolderParts): Promise<PolicyFolder> {
  const files = await readPolicyFiles(parts.directory);
  const set = compileWithMesh(parts.mesh, files);
  const state = new FolderState(parts, createCedarPolicy(set), inForce(files, set.size, parts.now()));
  const stop = follow(parts.directory, parts.timing ?? TIMING, async () => await state.check());
  return { policy: state.policy, status: () => state.status, close: stop };
}

function inForce(files: readonly PolicySource[], policies: number, loadedAt: Date): PolicyStatus {
  return { revision: revisionOf(files), policies, loadedAt };
}

class FolderState {
  readonly policy: CedarPolicy;
  readonly #parts: PolicyFolderParts;
  #status: PolicyStatus;

  constructor(parts: PolicyFolderParts, policy: CedarPolicy, status: PolicyStatus) {
    this.#parts = parts;
    this.policy = policy;
    this.#status = status;
    parts.onStatus(status);
  }

  get status(): PolicyStatus {
    return this.#status;
  }

  /** Never rejects: whatever is wrong with the files is a status. */
  async check(): Promise<void> {
    const { directory, mesh, now, timing } = this.#parts;
    try {
      const files = await settledFiles(directory, this.#status.revision, timing ?? TIMING);
      const isInForce = revisionOf(files) === this.#status.revision;
      if (isInForce && this.#status.refused === undefined) return;
      const set = compileWithMesh(mesh, files);
      if (!isInForce) this.policy.replace(set);
      this.#tell(inForce(files, set.size, isInForce ? this.#status.loadedAt : now()));
    } catch (error) {
      const problem = describeError(error);
      if (this.#status.refused?.problem === problem) return;
      const { revision, policies, loadedAt } = this.#status;
      this.#tell({ revision, policies, loadedAt, refused: { at: now(), problem } });
    }
  }

  #tell(status: PolicyStatus): void {
    this.#status = status;
    this.#parts.onStatus(status);
  }
}

/** The files, once two looks agree. A file that is cut short in the middle of a write may be valid, and say less. */
async function settledFiles(
  directory: string,
  revision: string,
  timing: PolicyFolderTiming,
): Promise<PolicySource[]> {
  const files = await readPolicyFiles(directory);
  const found = revisionOf(files);
  if (found === revision) return files;
  await sleep(timing.settleMs, undefined, { ref: false });
  return await settledFiles(directory, found, timing);
}

/** Calls `check` after every change that the system tells of, and every so often; never twice at a time. */
function follow(directory: string, timing: PolicyFolderTiming, check: () => Promise<void>): () => void {
  let watcher: FSWatcher | undefined;
  let working = false;
  let again = false;
  const look = async (): Promise<void> => {
    again = true;
    if (working) return;
    working = true;
    try {
      while (again) {
        again = false;
        await check();
      }
    } finally {
      working = false;
    }
  };
  const listen = (): void => {
    try {
      watcher ??= watch(directory, { persistent: false }, () => void look()).on('error', () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      // The folder is not there now: looked at again with every poll.
      watcher = undefined;
    }
  };
  listen();
  const timer = setInterval(() => {
    listen();
    void look();
  }, timing.pollMs).unref();
  return () => {
    clearInterval(timer);
    watcher?.close();
  };
}
