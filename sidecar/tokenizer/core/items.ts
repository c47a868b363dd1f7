import { TokenmeshError } from '../../../errors/error.ts';
import { isOutage, RecordUnopenableError, StoreUnavailableError } from './errors.ts';
import type { FindOutcome, TokenRecord } from './ports.ts';
import type { ItemResult } from './vault.ts';

/** More are refused whole: a batch is one request, with one deadline. */
export const MAX_BATCH_ITEMS = 1000;

/** @throws {TokenmeshError} `ERR_TOO_MANY_ITEMS` */
export function checkItemCount(count: number): void {
  if (count <= MAX_BATCH_ITEMS) return;
  throw new TokenmeshError({
    code: 'ERR_TOO_MANY_ITEMS',
    message: `the batch has too many items: expected at most ${MAX_BATCH_ITEMS}, got ${count}`,
    remedy: `send it in parts of at most ${MAX_BATCH_ITEMS} items; nothing of it was done`,
  });
}

/**
 * Fields of all records of a batch together. Each is sealed on its own, which costs about a millisecond:
 * more would outlast the request's time in the mesh, and be stored under tokens that nobody got.
 */
export const MAX_BATCH_FIELDS = 8000;

/** @throws {TokenmeshError} `ERR_TOO_MANY_FIELDS` */
export function checkFieldCount(count: number): void {
  if (count <= MAX_BATCH_FIELDS) return;
  throw new TokenmeshError({
    code: 'ERR_TOO_MANY_FIELDS',
    message: `the records of the batch have too many fields: expected at most ${MAX_BATCH_FIELDS} together, got ${count}`,
    remedy: `send it in parts of at most ${MAX_BATCH_FIELDS} fields; nothing of it was done`,
  });
}

/** An expected refusal is the item's own; anything else is a fault of ours and fails the request. */
export async function itemResult<Result>(run: () => Promise<Result>): Promise<ItemResult<Result>> {
  try {
    return { result: await run() };
  } catch (error) {
    if (error instanceof TokenmeshError) return { error };
    throw error;
  }
}

/**
 * Where nothing came of a batch, and all of it for an outage, the request as a whole failed.
 *
 * @throws {TokenmeshError} the outage, so that the caller sees 503 and tries again.
 */
export function throwIfAllOut(results: readonly ItemResult<unknown>[]): void {
  const [first] = results;
  if (first === undefined || !('error' in first)) return;
  if (results.every((each) => 'error' in each && isOutage(each.error))) throw first.error;
}

/** What {@link TokenStore.findMany} found, as {@link TokenStore.find} would have told it. */
export function foundOrThrow(outcome: FindOutcome): TokenRecord | undefined {
  if (outcome === 'missing') return undefined;
  if (outcome === 'unavailable') throw new StoreUnavailableError();
  if (outcome === 'unopenable') throw new RecordUnopenableError();
  return outcome;
}
