import { MAX_RECORDS_BYTES } from './segment.ts';

/** Somebody's records, and what is to be told once all of them are durable. */
export interface Waiting {
  /** As JSON. */
  readonly records: readonly string[];
  /** How many of them have been taken into a segment. */
  taken: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface Taken {
  readonly records: readonly string[];
  /** Those whose last record is among them. */
  readonly finished: readonly Waiting[];
}

/**
 * Takes as many records as one segment may hold, from the front of the queue.
 *
 * Who is done with is removed from the queue; who has records left stays at its front.
 */
export function takeSegment(queue: Waiting[], maxBytes = MAX_RECORDS_BYTES): Taken {
  const records: string[] = [];
  const finished: Waiting[] = [];
  let bytes = 0;
  for (const waiting of queue) {
    for (const record of waiting.records.slice(waiting.taken)) {
      bytes += Buffer.byteLength(record) + 1;
      if (bytes > maxBytes && records.length > 0) break;
      records.push(record);
      waiting.taken += 1;
    }
    if (waiting.taken < waiting.records.length) break;
    finished.push(waiting);
  }
  queue.splice(0, finished.length);
  return { records, finished };
}
