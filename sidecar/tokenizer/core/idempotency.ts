/**
 * A vault that does a call once, however often it is sent with the same idempotency key
 * (draft-ietf-httpapi-idempotency-key-header).
 *
 * Results are kept item by item, so that a call which was half done is finished by sending it again: what
 * is there is answered from there, and nothing but the rest is done. Refusals are not kept: they are
 * found anew each time, and so are the caller's rights, before anything that is kept is handed out.
 *
 * Between the record and the entry there is no transaction. A task that dies between the two leaves a
 * record under a token that nobody got; the call that is sent again makes another.
 *
 * @module
 */

import { createSecretKey, type KeyObject } from 'node:crypto';
import { TokenmeshError } from '../../../errors/error.ts';
import { lettersOf } from './audit/letters.ts';
import { onceHad } from './audit/once-had.ts';
import type { AuditMac } from './audit/ports.ts';
import { isOutage, RecordUnopenableError } from './errors.ts';
import { inFlight, keyReused } from './idempotency-errors.ts';
import { idempotencyId, IDEMPOTENCY_KEY_MESSAGE, keptMac, requestMac } from './idempotency-identity.ts';
import type { IdempotencyEntry, IdempotencyStore, KeptResult } from './idempotency-store.ts';
import { checkFieldCount, checkItemCount, itemResult } from './items.ts';
import type { Policy } from './policy.ts';
import { accept } from './tokenizing.ts';
import type { Caller, IdempotentCall, ItemResult, Tokenized, TokenizeRequest, Vault } from './vault.ts';

export interface IdempotencyParts {
  readonly vault: Vault;
  readonly store: IdempotencyStore;
  readonly policy: Policy;
  /** Has the key that the MACs here are made with. */
  readonly mac: AuditMac;
  readonly now: () => Date;
  /** From a cryptographic source. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** How long a call may be under way: longer than any is waited for. After it another takes over. */
  readonly leaseMs: number;
}

/** How long a key is remembered. */
export const IDEMPOTENCY_LIFE_MS = 24 * 60 * 60 * 1000;

/** How often it is tried to take over a call that others try to take over too. */
const ATTEMPTS = 3;

const CLAIM_BYTES = 16;

export function createIdempotentVault(parts: IdempotencyParts): Vault {
  const { vault, mac } = parts;
  const macKey = onceHad(async () => createSecretKey(await mac.macOf(IDEMPOTENCY_KEY_MESSAGE)));
  return {
    ...vault,
    async tokenize(caller, request) {
      if (caller.idempotency === undefined) return await vault.tokenize(caller, request);
      const { policyIds } = accept(parts, caller, request);
      const call = callOf(await macKey(), caller, caller.idempotency, 'tokenize', [request]);
      const [result] = await once(parts, call, [{ result: policyIds }], async () => [
        { result: await vault.tokenize(caller, request) },
      ]);
      if (result === undefined) throw new Error('expected one result for one item');
      if ('error' in result) throw result.error;
      return result.result;
    },
    async tokenizeBatch(caller, requests) {
      if (caller.idempotency === undefined) return await vault.tokenizeBatch(caller, requests);
      checkItemCount(requests.length);
      checkFieldCount(requests.reduce((sum, { fields }) => sum + Object.keys(fields).length, 0));
      const permits = await Promise.all(
        requests.map((request) => itemResult(async () => accept(parts, caller, request).policyIds)),
      );
      const call = callOf(await macKey(), caller, caller.idempotency, 'tokenize-batch', requests);
      return await once(parts, call, permits, async (wanted) =>
        vault.tokenizeBatch(
          caller,
          requests.filter((_, index) => wanted.has(index)),
        ),
      );
    },
  };
}

/** One call, as it is recognized when it comes again. */
interface Call {
  readonly macKey: KeyObject;
  readonly id: string;
  readonly request: string;
}

function callOf(
  macKey: KeyObject,
  caller: Caller,
  { key, body }: IdempotentCall,
  route: string,
  requests: readonly TokenizeRequest[],
): Call {
  const tenants = requests.map(({ tenant = caller.access.tenants[0] ?? '' }) => tenant);
  return {
    macKey,
    id: idempotencyId(macKey, { identity: caller.identity, tenants, key }),
    request: requestMac(macKey, route, body),
  };
}

type Permit = ItemResult<readonly string[]>;
type Run = (wanted: ReadonlySet<number>) => Promise<readonly ItemResult<Tokenized>[]>;

/** What is permitted and not there yet is done; what is there is answered from there. */
async function once(
  parts: IdempotencyParts,
  call: Call,
  permits: readonly Permit[],
  run: Run,
): Promise<readonly ItemResult<Tokenized>[]> {
  if (permits.every((permit) => 'error' in permit)) return answersOf(permits, [], new Map());
  const begun = await begin(parts, call, permits);
  const { results: kept } = begun.entry;
  if (begun.wanted.size === 0) return answersOf(permits, kept, new Map());
  const done = await runWanted(parts, call, begun, run);
  const answers = answersOf(permits, kept, done);
  const results = permits.map((_, index) => keptOf(done.get(index)) ?? kept[index] ?? null);
  await settle(parts, call, { ...begun.entry, results });
  return answers;
}

interface Begun {
  /** With the claim of this call, where there is something for it to do. */
  readonly entry: IdempotencyEntry;
  /** The items that are to be done, by their places. */
  readonly wanted: ReadonlySet<number>;
}

/** @throws {TokenmeshError} `ERR_IDEMPOTENCY_IN_FLIGHT`, `ERR_IDEMPOTENCY_KEY_REUSED` */
async function begin(parts: IdempotencyParts, call: Call, permits: readonly Permit[]): Promise<Begun> {
  const { store, randomBytes, leaseMs } = parts;
  const claim = lettersOf(randomBytes(CLAIM_BYTES));
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const now = parts.now();
    const mine = { claim, leaseUntil: new Date(now.getTime() + leaseMs) };
    const expiresAt = new Date(now.getTime() + IDEMPOTENCY_LIFE_MS);
    const fresh = { request: call.request, results: [], expiresAt, ...mine };
    const found = await store.insert(call.id, fresh, now);
    if (found === 'stored') return { entry: fresh, wanted: wantedOf(permits, []) };
    // The answer to an earlier write of this call was lost, and the write was sent again.
    requireProof(call, found);
    if (found.claim === claim) return { entry: found, wanted: wantedOf(permits, found.results) };
    if (found.request !== call.request) throw keyReused();
    if (found.leaseUntil !== undefined && now < found.leaseUntil) throw inFlight();
    const wanted = wantedOf(permits, found.results);
    if (wanted.size === 0) return { entry: found, wanted };
    const taken = { ...found, ...mine };
    if ((await store.replace(call.id, taken, found.claim)) === 'replaced') return { entry: taken, wanted };
  }
  throw inFlight();
}

/** @throws {RecordUnopenableError} for results that this service did not keep. */
function requireProof({ macKey, id }: Call, entry: IdempotencyEntry): void {
  if (entry.results.every((result) => result === null)) return;
  if (entry.proof !== keptMac(macKey, id, entry)) throw new RecordUnopenableError();
}

function wantedOf(permits: readonly Permit[], kept: IdempotencyEntry['results']): ReadonlySet<number> {
  const wanted = permits.flatMap((permit, index) =>
    'error' in permit || (kept[index] ?? null) !== null ? [] : [index],
  );
  return new Set(wanted);
}

/**
 * A call that failed whole leaves nothing behind that would hold up the next. Where earlier ones have
 * results, it did not fail whole: the items that failed say so.
 */
async function runWanted(
  parts: IdempotencyParts,
  call: Call,
  { entry, wanted }: Begun,
  run: Run,
): Promise<ReadonlyMap<number, ItemResult<Tokenized>>> {
  try {
    const results = (await run(wanted)).values();
    return new Map([...wanted].map((index) => [index, results.next().value ?? missing()]));
  } catch (error) {
    const isHalfDone = entry.results.some((result) => result !== null);
    if (isHalfDone && error instanceof TokenmeshError && isOutage(error)) {
      return new Map([...wanted].map((index) => [index, { error }]));
    }
    // What it failed for is what the caller has to know; the lease ends by itself.
    await settle(parts, call, entry).catch(() => undefined);
    throw error;
  }
}

function missing(): never {
  throw new Error('expected one result for each item');
}

/** @throws {TokenmeshError} `ERR_IDEMPOTENCY_IN_FLIGHT` where another took over meanwhile: its answer counts. */
async function settle(
  { store }: IdempotencyParts,
  { id, macKey }: Call,
  entry: IdempotencyEntry,
): Promise<void> {
  const { request, claim, results, expiresAt } = entry;
  const isEmpty = results.every((result) => result === null);
  if (isEmpty) return await store.remove(id, claim);
  const atRest = { request, claim, results, expiresAt, proof: keptMac(macKey, id, entry) };
  if ((await store.replace(id, atRest, claim)) === 'conflict') throw inFlight();
}

function answersOf(
  permits: readonly Permit[],
  kept: IdempotencyEntry['results'],
  done: ReadonlyMap<number, ItemResult<Tokenized>>,
): readonly ItemResult<Tokenized>[] {
  return permits.map((permit, index) => {
    if ('error' in permit) return permit;
    const result = kept[index] ?? null;
    if (result === null) return done.get(index) ?? missing();
    return { result: { ...result, policyIds: permit.result, isReplayed: true } };
  });
}

function keptOf(outcome: ItemResult<Tokenized> | undefined): KeptResult | undefined {
  if (outcome === undefined || 'error' in outcome) return undefined;
  const { token, createdAt, expiresAt, format, version } = outcome.result;
  return {
    token,
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(format === undefined ? {} : { format }),
    ...(version === undefined ? {} : { version }),
  };
}
