import { getLocalCryptographicMaterialsCache } from '@aws-crypto/client-node';

type LibraryCache = ReturnType<typeof getLocalCryptographicMaterialsCache>;
type BranchKeyEntry = Exclude<ReturnType<LibraryCache['getBranchKeyMaterial']>, false>;
type BranchKey = BranchKeyEntry['response'];

/** Longer than any operation holds a key that it has taken from the cache. */
const GRACE_MS = 10_000;

export interface BranchKeyCache extends LibraryCache {
  /** Drops every version of a branch key. */
  forget(branchKeyId: string): void;
}

interface CacheOptions {
  /** Milliseconds; passed in, so that a test can let time pass. @default Date.now */
  readonly now?: () => number;
  /** Keys held at a time; the one that was put first goes. @default any number */
  readonly capacity?: number;
}

/**
 * Holds branch keys in memory for as long as the keyring says, and overwrites them afterwards.
 *
 * The library's own cache overwrites a key with zeros at the instant it is
 * replaced or expires, while another operation may stand between taking it and
 * using it: that one would seal under a key of zeros. Here a key that goes is
 * overwritten only after {@link GRACE_MS}. Everything but branch keys is the
 * library's; the hierarchical keyring asks for nothing else.
 */
export function createBranchKeyCache({
  now = Date.now,
  capacity = Infinity,
}: CacheOptions = {}): BranchKeyCache {
  const held = new Map<string, { readonly entry: BranchKeyEntry; readonly goneAt: number }>();
  const drop = (id: string): void => {
    const key = held.get(id)?.entry.response;
    held.delete(id);
    if (key !== undefined) setTimeout(() => overwrite(key), GRACE_MS).unref();
  };
  /** The same key may be back by then, put twice by operations that waited for it together. */
  const overwrite = (key: BranchKey): void => {
    const isHeld = [...held.values()].some(({ entry }) => entry.response === key);
    if (!isHeld) key.zeroUnencryptedDataKey();
  };
  return {
    ...getLocalCryptographicMaterialsCache(1),
    putBranchKeyMaterial(id, key, maxAge) {
      drop(id);
      const [oldest] = held.keys();
      if (held.size >= capacity && oldest !== undefined) drop(oldest);
      held.set(id, {
        entry: { response: key, now: now() },
        goneAt: now() + (maxAge ?? Number.POSITIVE_INFINITY),
      });
    },
    getBranchKeyMaterial(id) {
      const found = held.get(id);
      if (found === undefined) return false;
      if (now() < found.goneAt) return found.entry;
      drop(id);
      return false;
    },
    del: drop,
    forget(branchKeyId) {
      for (const [id, { entry }] of held) if (entry.response.branchKeyIdentifier === branchKeyId) drop(id);
    },
  };
}
