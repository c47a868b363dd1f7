import type { Logger } from '../../../runtime/log.ts';
import type { MintingObserver } from '../core/vault.ts';
import type { Metrics } from './metrics.ts';

/** Counts taken tokens, and raises an alarm where a format had none left: a line that a metric filter on `alarm` finds. */
export function observeMinting(metrics: Metrics, logger: Logger): MintingObserver {
  return {
    tokenTaken: (format) => metrics.tokenTaken(format),
    formatExhausted(format) {
      metrics.formatExhausted(format);
      logger.error(
        {
          alarm: 'a token format has no free token left',
          format,
          remedy: 'let callers ask for a format with more possibilities, or for "onExhaustion": "widen"',
        },
        'a token format is exhausted',
      );
    },
  };
}
