import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf, type Logger } from '../../runtime/log.ts';
import { rewrap, type RewrappingParts } from './core/rewrapping/rewrapping.ts';

export interface RewrapperParts extends Omit<RewrappingParts, 'pause' | 'isStopping'> {
  readonly tenants: readonly string[];
  readonly everyMs: number;
  readonly logger: Logger;
}

/**
 * Looks now and then whether somebody asks for records to be sealed anew, and does it where no other task
 * does. What fails is told and tried again next time, from the last page that was saved.
 *
 * @returns Stops it: a page that is under way is finished, and another task goes on after it.
 */
export function startRewrapper({ tenants, everyMs, logger, ...parts }: RewrapperParts): () => Promise<void> {
  const stopping = new AbortController();
  let underWay: Promise<void> | undefined;
  const options = {
    ...parts,
    isStopping: () => stopping.signal.aborted,
    pause: (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined),
  };
  const look = async (): Promise<void> => {
    for (const tenant of tenants) {
      if (stopping.signal.aborted) return;
      const done = await rewrap(options, tenant);
      if (typeof done === 'string' || !done.isDone) continue;
      const { records, codes, left } = done;
      const unopenable = left.unopenable.count + left.unreadable.count;
      logger.info({ tenant, records, codes, unopenable }, 'records were sealed anew');
    }
  };
  const timer = setInterval(() => {
    underWay ??= look()
      .catch((error: unknown) => logger.error({ fault: nameOf(error) }, 'records could not be sealed anew'))
      .finally(() => (underWay = undefined));
  }, everyMs);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await underWay;
  };
}
