import { nameOf } from '../../runtime/log.ts';
import type { Logger } from '../../runtime/log.ts';
import { sweep, type SweepingParts } from './core/sweeping.ts';
import type { Metrics } from './http/metrics.ts';

export interface SweeperParts extends Omit<SweepingParts, 'isStopping'> {
  readonly everyMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Sweeps now and then for as long as the process runs. A sweep that fails is told and tried again next
 * time; one that is under way is waited for, so that none overtakes another.
 *
 * @returns Stops it: a sweep that is under way ends with the pages that it is at, since what it has to do may
 *   take longer than a process has to end.
 */
export function startSweeper({ everyMs, metrics, logger, ...parts }: SweeperParts): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  let isStopping = false;
  const once = async (): Promise<void> => {
    try {
      const swept = await sweep({ ...parts, isStopping: () => isStopping });
      if (swept !== 'busy') metrics.swept(swept);
    } catch (error) {
      metrics.sweepFailed();
      const cause = error instanceof Error && error.cause !== undefined ? { cause: nameOf(error.cause) } : {};
      logger.error({ fault: nameOf(error), ...cause }, 'a sweep of what has expired failed');
    }
  };
  const timer = setInterval(() => {
    underWay ??= once().finally(() => (underWay = undefined));
  }, everyMs);
  return async () => {
    clearInterval(timer);
    isStopping = true;
    await underWay;
  };
}
