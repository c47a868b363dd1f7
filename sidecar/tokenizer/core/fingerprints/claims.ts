import type { IndexKey } from './ports.ts';
import { partitionOf, type Fingerprinted } from './fingerprint.ts';
import { placeRow, placeRowKey } from './one-way-places.ts';
import { claimKey, openToken, sealToken } from './sealed-token.ts';
import type { FingerprintIndex, FingerprintRing } from './ports.ts';
import type { VersionKeys } from './version-keys.ts';

export interface ClaimParts {
  readonly index: FingerprintIndex;
  readonly ring: FingerprintRing;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly fingerprinted: Fingerprinted;
  readonly kind: string;
  readonly format: string;
}

/** The token that a value has, and the versions of the key that say so. */
export interface Claimed {
  readonly token: string;
  readonly versions: ReadonlySet<number>;
}

/** Looks under every version that is read, the newest first; the first that is there counts. */
export async function findClaim(parts: ClaimParts): Promise<Claimed | undefined> {
  for (const keys of parts.ring.read) {
    const place = placeOf(parts, keys);
    const sealed = await parts.index.find(place);
    if (sealed !== undefined) {
      return { token: openToken(keys, place, sealed), versions: new Set([keys.version]) };
    }
  }
  return undefined;
}

/**
 * Claims a token for a value under every version that is written, the oldest first: tasks that are one
 * step of a rotation apart have that one in common, so that they never claim two tokens.
 *
 * @returns The token that the value has from now on: another's, where that was faster.
 */
export async function claimToken(parts: ClaimParts, wanted: string): Promise<string> {
  let token = wanted;
  const claimed: VersionKeys[] = [];
  await putPlaces(parts, token);
  for (const keys of parts.ring.write) {
    const place = placeOf(parts, keys);
    const outcome = await parts.index.claim({ ...place, sealedToken: sealed(parts, keys, token) });
    if (outcome === 'claimed') {
      claimed.push(keys);
      continue;
    }
    const winner = openToken(keys, place, outcome);
    if (winner !== token) {
      await putPlaces(parts, winner);
      await setClaims(parts, claimed, winner);
    }
    token = winner;
  }
  return token;
}

/** Makes a value have another token, where the one that it had is another value's. */
export async function moveClaim(parts: ClaimParts, token: string): Promise<void> {
  await setClaims(parts, parts.ring.write, token);
}

/**
 * Takes away what versions say that are read and not written any more, once those that are written say it:
 * a value that is seen again needs its old version no longer, and a one-way one has no other way to be done with it.
 * A version that is newer than those is about to be written, and others may have claimed under it already.
 */
export async function dropOldClaims(parts: ClaimParts, token: string): Promise<void> {
  const oldestWritten = Math.min(...parts.ring.write.map(({ version }) => version));
  const old = parts.ring.read.filter(({ version }) => version < oldestWritten);
  if (old.length === 0) return;
  const places = parts.kind === 'one-way' ? old.map((keys) => placeRowKey(keys, tokenIn(parts, token))) : [];
  await parts.index.remove([...old.map((keys) => placeOf(parts, keys)), ...places]);
}

/** Before the claims, so that none is ever left that a deletion does not find. */
async function putPlaces(parts: ClaimParts, token: string): Promise<void> {
  const { index, ring, randomBytes, kind } = parts;
  if (kind !== 'one-way') return;
  const rows = ring.write.map((keys) =>
    placeRow(keys, tokenIn(parts, token), placeOf(parts, keys).partition, randomBytes),
  );
  await index.put(rows);
}

function tokenIn({ fingerprinted: { tenant }, format }: ClaimParts, token: string) {
  return { tenant, token, format };
}

async function setClaims(parts: ClaimParts, versions: readonly VersionKeys[], token: string): Promise<void> {
  await parts.index.put(
    versions.map((keys) => ({ ...placeOf(parts, keys), sealedToken: sealed(parts, keys, token) })),
  );
}

function sealed(parts: ClaimParts, keys: VersionKeys, token: string): Uint8Array {
  return sealToken(keys, placeOf(parts, keys), token, parts.randomBytes);
}

function placeOf({ fingerprinted, kind, format }: ClaimParts, keys: VersionKeys): IndexKey {
  return { partition: partitionOf(keys, fingerprinted), sortKey: claimKey(kind, format) };
}
