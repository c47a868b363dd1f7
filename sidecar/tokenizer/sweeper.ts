import { nameOf } from '../../runtime/log.ts';
import type { Logger } from '../../runtime/log.ts';
import { sweep, type SweepingParts } from './core/sweeping.ts';
import type { Metrics } from './http/metrics.ts';

export interface SweeperParts extends SweepingParts {
  readonly everyMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Sweeps now and then for as long as the process runs. A sweep that fails is told and tried again next
 * time; one that is under way is waited for, so that none overtakes another.
 *
 * @returns Stops it, once what is under way is done.
 */
export function startSweeper({ everyMs, metrics, logger, ...parts }: SweeperParts): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const once = async (): Promise<void> => {
    try {
      const swept = await sweep(parts);
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
    await underWay;
  };
}
