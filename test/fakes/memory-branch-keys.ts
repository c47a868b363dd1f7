import { createSecretKey, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { KeyUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type {
  BranchKeyDescription,
  BranchKeySource,
} from '../../sidecar/tokenizer/core/crypto/key-source.ts';

interface Kept {
  readonly versions: Map<string, KeyObject>;
  active: string;
  isDestroyed: boolean;
}

/** A key store and a KMS in one, each of which can be told not to answer. */
export class MemoryBranchKeys implements BranchKeySource {
  readonly #kept = new Map<string, Kept>();
  isStoreDown = false;
  isKmsDown = false;
  /** Whom KMS was asked for, in order. */
  readonly fetched: string[] = [];
  described = 0;

  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.rotate(id);
  }

  /** Makes the key, or a new version of it. */
  rotate(id: string): string {
    const version = randomUUID();
    const kept = this.#kept.get(id) ?? { versions: new Map(), active: version, isDestroyed: false };
    kept.versions.set(version, createSecretKey(randomBytes(32)));
    kept.active = version;
    this.#kept.set(id, kept);
    return version;
  }

  revoke(id: string, version: string): void {
    this.#kept.get(id)?.versions.delete(version);
  }

  destroy(id: string): void {
    this.#kept.set(id, { versions: new Map(), active: '', isDestroyed: true });
  }

  async describe(id: string): Promise<BranchKeyDescription> {
    this.described += 1;
    if (this.isStoreDown) throw new KeyUnavailableError();
    const kept = this.#kept.get(id);
    if (kept === undefined) return { isDestroyed: false, versions: new Set() };
    if (kept.isDestroyed) return { isDestroyed: true, versions: new Set() };
    return { isDestroyed: false, active: kept.active, versions: new Set(kept.versions.keys()) };
  }

  async fetch(id: string, version: string): Promise<KeyObject | undefined> {
    this.fetched.push(id);
    if (this.isKmsDown) throw new KeyUnavailableError();
    return this.#kept.get(id)?.versions.get(version);
  }
}
