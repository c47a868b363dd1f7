/**
 * How far behind the other regions this one is, by their heartbeats: rows that each writes again and again, and that
 * arrive as its tokens do.
 *
 * @module
 */

/** What is seen here of another region that writes to the same tables. */
export interface Replica {
  /** How long ago it wrote what arrived here last; undefined where nothing has arrived. */
  readonly lagSeconds?: number;
}

export interface Replicas {
  /**
   * Answers from memory: it takes as long for a token that exists elsewhere as for one that nobody ever made.
   *
   * @returns Undefined for a region that is none of them.
   */
  of(regionCode: string): Replica | undefined;
}

/** When each region, by its code, wrote the heartbeat of it that was read last. */
export type Heartbeats = ReadonlyMap<string, Date>;

export interface ReplicationWatch extends Replicas {
  readonly regionCodes: readonly string[];
  heard(heartbeats: Heartbeats): void;
}

/** @param regionCodes - Of the other regions. */
export function createReplicationWatch(regionCodes: readonly string[], now: () => Date): ReplicationWatch {
  let last: Heartbeats = new Map();
  return {
    regionCodes,
    heard(heartbeats) {
      last = heartbeats;
    },
    of(regionCode) {
      if (!regionCodes.includes(regionCode)) return undefined;
      const at = last.get(regionCode);
      // The clock of the other region may be ahead.
      return at === undefined ? {} : { lagSeconds: Math.max(0, now().getTime() - at.getTime()) / 1000 };
    },
  };
}
