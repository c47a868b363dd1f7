/**
 * Holds branch keys in memory, so that KMS is asked once in an hour and not for each record.
 *
 * A key is held for a bounded time, number of messages and number of bytes. Before one of these ends the
 * key is fetched again while it goes on being used, so that nobody waits for it ("refresh ahead"); where
 * KMS does not answer, the key that is there serves until its end, and not beyond. Which versions there
 * are is asked of the key store every few seconds: a rotation, a revoked version and a destroyed key take
 * hold within that time.
 *
 * Keys are KeyObjects: Node overwrites their memory when the last reference is gone, which is when they
 * are dropped here and no operation has them in hand any more.
 *
 * @module
 */

import { KeyUnavailableError } from '../errors.ts';
import type { BranchKey } from './data-key.ts';
import type { BranchKeyDescription, BranchKeySource } from './key-source.ts';
import { SingleFlight } from '../single-flight.ts';
import { versionBytes } from './version-bytes.ts';

/** How long a key is held, and how much it may be used in that time. */
export interface KeyLimits {
  readonly ageMs: number;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * An hour bounds what a stolen memory image is good for after the key was revoked in KMS. The other two
 * are far from what AES-GCM bears (each message has a key of its own, wrapped under a key derived with a
 * salt of its own): a task that comes near them is not doing what it was built for.
 */
export const KEY_LIMITS: KeyLimits = { ageMs: 3_600_000, messages: 2 ** 27, bytes: 2 ** 37 };

/** How old may be what is known of a key, in milliseconds. */
export interface Freshness {
  /** While the key store answers. */
  readonly seenWithinMs: number;
  /** While it does not. */
  readonly seenAtLastMs: number;
}

export interface KeyCacheParts {
  readonly source: BranchKeySource;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
  /** From 0 to 1: so that the tasks of a service do not all ask KMS at once. */
  readonly random: () => number;
  readonly limits: KeyLimits;
  readonly freshnessOf: (id: string) => Freshness;
  /** Branch keys held at a time; the one that was used longest ago goes. */
  readonly capacity: number;
  readonly observer?: KeyObserver;
}

export interface KeyObserver {
  /** KMS was asked for a key, ahead of its end or since it was needed. */
  keyFetched(outcome: 'ok' | 'missing' | 'failed'): void;
}

/** How things are with the keys that are sealed under. */
export interface KeyState {
  /** How long all of them can be used if KMS does not answer any more. */
  readonly goodForSeconds: number;
  /** For one of them KMS or the key store did not answer the last time. */
  readonly isRefreshFailing: boolean;
}

interface HeldKey {
  readonly branchKey: BranchKey;
  readonly fetchedAt: number;
  /** The part of its limits at which it is fetched again. */
  readonly refreshAt: number;
  messages: number;
  bytes: number;
  failedAt: number | undefined;
}

interface Known {
  description: BranchKeyDescription;
  describedAt: number;
  isFailing: boolean;
  readonly keys: Map<string, HeldKey>;
}

/** A key of which this part is used up, or more, is fetched again. */
const REFRESH_FROM = 0.7;
const REFRESH_SPREAD = 0.2;

/** After a refresh that failed, it is tried again no sooner. */
const RETRY_MS = 5_000;

/** So long does a request wait to hear what there is of a key, where nothing is known of it. */
const FIRST_PATIENCE_MS = 2_500;

/** So long, where something is known that may be out of date. */
const NEXT_PATIENCE_MS = 500;

/** What is known is asked for again at this part of its time, by the way. */
const DESCRIBE_FROM = 0.8;

export class KeyCache {
  readonly #parts: KeyCacheParts;
  readonly #known = new Map<string, Known>();
  readonly #describing = new SingleFlight<Known>();
  readonly #fetching = new SingleFlight<HeldKey | undefined>();

  constructor(parts: KeyCacheParts) {
    this.#parts = parts;
  }

  /** @throws {KeyUnavailableError} where nothing is known that is fresh enough. */
  async isDestroyed(id: string): Promise<boolean> {
    return (await this.#freshly(id)).description.isDestroyed;
  }

  /**
   * The key to seal under, counted as used for `bytes`.
   *
   * @returns Undefined where there is none of the name.
   * @throws {KeyUnavailableError}
   */
  async active(id: string, bytes: number): Promise<BranchKey | undefined> {
    const known = await this.#freshly(id);
    const { active } = known.description;
    return active === undefined ? undefined : await this.#use(known, id, active, bytes);
  }

  /**
   * One version of a key, to open what it sealed.
   *
   * @returns Undefined where there is no such version, or none any more.
   * @throws {KeyUnavailableError}
   */
  async version(id: string, version: string, bytes: number): Promise<BranchKey | undefined> {
    let known = await this.#freshly(id);
    // Another task may have learned of a rotation sooner.
    if (!known.description.versions.has(version)) known = await this.#described(id, NEXT_PATIENCE_MS);
    if (!known.description.versions.has(version)) return undefined;
    return await this.#use(known, id, version, bytes);
  }

  /** @returns Undefined where no key is held to seal under. */
  state(): KeyState | undefined {
    const sealing = [...this.#known.values()].flatMap(({ description, keys, isFailing }) => {
      const held = keys.get(description.active ?? '');
      return held === undefined ? [] : [{ held, isFailing }];
    });
    if (sealing.length === 0) return undefined;
    const oldest = Math.min(...sealing.map(({ held }) => held.fetchedAt));
    const leftMs = this.#parts.limits.ageMs - (this.#parts.now() - oldest);
    return {
      goodForSeconds: Math.max(0, Math.floor(leftMs / 1000)),
      isRefreshFailing: sealing.some(({ held, isFailing }) => isFailing || held.failedAt !== undefined),
    };
  }

  /** Known no longer ago than {@link Freshness} says. */
  async #freshly(id: string): Promise<Known> {
    const { freshnessOf, now } = this.#parts;
    const known = this.#known.get(id);
    if (known === undefined) return await this.#described(id, FIRST_PATIENCE_MS);
    // What was destroyed stays so.
    if (known.description.isDestroyed) return known;
    const { seenWithinMs, seenAtLastMs } = freshnessOf(id);
    const ageMs = now() - known.describedAt;
    if (ageMs < seenWithinMs * DESCRIBE_FROM) return known;
    const described = this.#described(id, NEXT_PATIENCE_MS);
    if (ageMs < seenWithinMs || (known.isFailing && ageMs < seenAtLastMs)) {
      described.catch(() => undefined);
      return known;
    }
    try {
      return await described;
    } catch (error) {
      if (now() - known.describedAt < seenAtLastMs) return known;
      throw error;
    }
  }

  #described(id: string, patienceMs: number): Promise<Known> {
    return this.#describing.join(id, async () => {
      const describedAt = this.#parts.now();
      try {
        const description = await this.#parts.source.describe(id, patienceMs);
        return await this.#learn(id, description, describedAt);
      } catch (error) {
        const known = this.#known.get(id);
        if (known !== undefined) known.isFailing = true;
        throw error;
      }
    });
  }

  /** A key of which nothing is there is not remembered: an operator may make it the next moment. */
  async #learn(id: string, description: BranchKeyDescription, describedAt: number): Promise<Known> {
    const before = this.#known.get(id);
    const known = before ?? { description, describedAt, isFailing: false, keys: new Map<string, HeldKey>() };
    if (description.active === undefined && !description.isDestroyed) {
      this.#known.delete(id);
      return { ...known, description, keys: new Map() };
    }
    for (const version of known.keys.keys()) {
      if (!description.versions.has(version)) known.keys.delete(version);
    }
    const seals = before === undefined ? description : await this.#turn(id, before, description);
    Object.assign(known, { description: seals, describedAt, isFailing: false });
    this.#keep(id, known);
    return known;
  }

  /**
   * After a rotation the new key is fetched before anything is sealed under it, so that nobody waits; until
   * it is there the old one goes on, if it was not revoked.
   */
  async #turn(
    id: string,
    { description: before, keys }: Known,
    description: BranchKeyDescription,
  ): Promise<BranchKeyDescription> {
    const { active } = description;
    const old = before.active;
    if (active === undefined || old === undefined || active === old || !keys.has(old)) return description;
    try {
      await this.#fetched(keys, id, active);
      return description;
    } catch {
      return { ...description, active: old };
    }
  }

  #keep(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#parts.capacity && oldest !== undefined) this.#known.delete(oldest);
  }

  async #use({ keys }: Known, id: string, version: string, bytes: number): Promise<BranchKey | undefined> {
    let held = keys.get(version);
    if (held === undefined || this.#usedUp(held) >= 1) {
      keys.delete(version);
      held = await this.#fetched(keys, id, version);
    } else if (this.#usedUp(held) >= held.refreshAt) this.#refresh(keys, id, held, version);
    if (held === undefined) return undefined;
    held.messages += 1;
    held.bytes += bytes;
    return held.branchKey;
  }

  /** The part of its limits that is used up: 1 and more where it may not be used any further. */
  #usedUp(held: HeldKey): number {
    const { ageMs, messages, bytes } = this.#parts.limits;
    const age = (this.#parts.now() - held.fetchedAt) / ageMs;
    return Math.max(age, held.messages / messages, held.bytes / bytes);
  }

  #refresh(keys: Map<string, HeldKey>, id: string, held: HeldKey, version: string): void {
    const { failedAt } = held;
    if (failedAt !== undefined && this.#parts.now() - failedAt < RETRY_MS) return;
    this.#fetched(keys, id, version).catch(() => {
      held.failedAt = this.#parts.now();
    });
  }

  async #fetched(keys: Map<string, HeldKey>, id: string, version: string): Promise<HeldKey | undefined> {
    return await this.#fetching.join(`${version} ${id}`, async () => {
      const { source, observer, now, random } = this.#parts;
      const fetchedAt = now();
      try {
        const key = await source.fetch(id, version);
        observer?.keyFetched(key === undefined ? 'missing' : 'ok');
        if (key === undefined) {
          keys.delete(version);
          return undefined;
        }
        const branchKey = { id, version: versionBytes(version), key };
        const refreshAt = REFRESH_FROM + REFRESH_SPREAD * random();
        const held = { branchKey, fetchedAt, refreshAt, messages: 0, bytes: 0, failedAt: undefined };
        keys.set(version, held);
        return held;
      } catch (error) {
        observer?.keyFetched('failed');
        throw error instanceof KeyUnavailableError ? error : new KeyUnavailableError(error);
      }
    });
  }
}
