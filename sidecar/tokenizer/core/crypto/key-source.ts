/**
 * Where branch keys come from, in the words of the key cache.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto';

/** What there is of one branch key, as the key store says without KMS. */
export interface BranchKeyDescription {
  /** Whether it was destroyed: there is no version any more, and there will be none. */
  readonly isDestroyed: boolean;
  /** The version that is sealed under; undefined where there was never a key of the name. */
  readonly active?: string;
  /** UUIDs, the active one among them. */
  readonly versions: ReadonlySet<string>;
}

export interface BranchKeySource {
  /**
   * Asks no KMS, and sees every change that was answered before.
   *
   * @param patienceMs - How long it may take.
   * @throws {KeyUnavailableError} when no answer came by then.
   */
  describe(id: string, patienceMs: number): Promise<BranchKeyDescription>;

  /**
   * Has KMS decrypt one version.
   *
   * @returns Undefined where there is no such version.
   * @throws {KeyUnavailableError} when it cannot be had in time.
   */
  fetch(id: string, version: string): Promise<KeyObject | undefined>;
}
