import type { HoneyTokens } from '../core/audit/honey.ts';
import { nodeOfIdentity } from '../../../mesh/identity.ts';
import type { Mesh } from '../../../mesh/definition.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Metrics } from './metrics.ts';

/** Raises the alarm where somebody uses a honey token: the log at its loudest, and a metric to alarm on. */
export function observeHoney(mesh: Mesh, metrics: Metrics, logger: Logger): HoneyTokens['onUse'] {
  return ({ identity, operation, outcome, requestId, purpose }, reference) => {
    metrics.honeyTokenUsed(nodeOfIdentity(mesh, identity) ?? 'unknown', operation);
    logger.error(
      { alarm: 'honey-token', identity, operation, outcome, requestId, purpose, reference },
      'a honey token was used',
    );
  };
}
