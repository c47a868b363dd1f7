/**
 * The function that brings every certificate of the mesh to its secret once, when the mesh is deployed: no
 * node starts before it has one, and ACM's events are best effort.
 *
 * @module
 */

import { handler as renewal, type InvocationContext, type RenewalHandler } from './handler.ts';

/** What the daily schedule sends. */
export const RECONCILE_EVENT = { source: 'aws.events', 'detail-type': 'Scheduled Event' } as const;

/** What AWS Lambda calls, with whatever event. @throws as the renewal function does: the deployment then fails. */
export const handler: RenewalHandler = async (_event: unknown, context?: InvocationContext) =>
  await renewal(RECONCILE_EVENT, context);
