import { nameOf, type Logger } from '../../runtime/log.ts';
import type { KeyLocation } from './adapters/branch-keys.ts';
import { readFingerprintState } from './adapters/fingerprint-state.ts';
import { reindex, type ReindexingParts } from './core/fingerprints/reindexing.ts';

export interface ReindexerParts extends ReindexingParts {
  readonly location: KeyLocation;
  readonly tenants: readonly string[];
  readonly everyMs: number;
  readonly logger: Logger;
}

/**
 * Looks now and then whether a rotation of a fingerprint key waits for the records to be indexed anew, and
 * does it where no other task does.
 *
 * @returns Stops it; a page that is under way is finished, and another task goes on after it.
 */
export function startReindexer({ location, tenants, everyMs, logger, ...parts }: ReindexerParts): () => void {
  let isBusy = false;
  const look = async (): Promise<void> => {
    for (const tenant of tenants) {
      const state = await readFingerprintState(location, tenant);
      if (state?.phase !== 'indexing') continue;
      const done = await reindex(parts, tenant);
      if (done !== 'busy') logger.info({ tenant, ...done, cursor: undefined }, 'records were indexed anew');
    }
  };
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    look()
      .catch((error: unknown) => logger.error({ fault: nameOf(error) }, 'records could not be indexed anew'))
      .finally(() => (isBusy = false));
  }, everyMs);
  return () => clearInterval(timer);
}
