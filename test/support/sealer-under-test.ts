import { randomBytes } from 'node:crypto';
import { createBranchKeySealer } from '../../sidecar/tokenizer/core/crypto/branch-key-sealer.ts';
import { KeyCache, type KeyCacheParts } from '../../sidecar/tokenizer/core/crypto/key-cache.ts';
import { sealingHere, type SealingWork } from '../../sidecar/tokenizer/core/crypto/sealing.ts';
import { createOtherMessages } from '../../sidecar/tokenizer/adapters/other-messages.ts';
import { MemoryBranchKeys } from '../fakes/memory-branch-keys.ts';

/** The sealer as it is, over keys in memory and a clock that the test moves. */
export function sealerUnderTest(
  ids: readonly string[],
  change: Partial<KeyCacheParts> = {},
  work: SealingWork = sealingHere(randomBytes),
) {
  const source = new MemoryBranchKeys(ids);
  const clock = { ms: 0 };
  const keys = new KeyCache({
    source,
    now: () => clock.ms,
    random: () => 0,
    limits: { ageMs: 3_600_000, messages: 1_000_000, bytes: 1_000_000_000 },
    freshnessOf: () => ({ seenWithinMs: 5_000, seenAtLastMs: 60_000 }),
    capacity: 1_000,
    ...change,
  });
  const sealer = createBranchKeySealer({ keys, work, openOther: createOtherMessages(keys) });
  return { source, clock, keys, sealer };
}
