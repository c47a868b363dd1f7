import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VaultOperation } from '../../../mesh/definition.ts';
import { headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import { MAX_BATCH_ITEMS } from '../core/items.ts';
import { rateLimited } from '../core/rate-limit.ts';
import { peerOf } from './peer.ts';
import type { TokenizerParts } from './server.ts';

/**
 * Refuses a call that is over its node's limit with 429, and with the seconds until it may be sent again.
 *
 * A call is counted once its body is read, by its items. A node whose bucket is empty is refused before
 * that: the body may be of eight megabytes. What is refused takes nothing from the bucket.
 */
export function addRateLimit(app: FastifyInstance, { mesh, limiter }: TokenizerParts): void {
  const nodeBehind = (request: FastifyRequest): string =>
    peerOf(mesh, headerOf(request.headers[IDENTITY_HEADER])).node;
  app.addHook('onRequest', async (request, reply) => {
    const node = nodeBehind(request);
    const operation = vaultOperationOf(request);
    const seconds = limiter.waitSeconds(node, operation);
    if (seconds === 0) return;
    reply.header('retry-after', wholeSeconds(seconds));
    throw rateLimited(node, operation, limiter.rateOf(node, operation));
  });
  app.addHook('preValidation', async (request, reply) => {
    const node = nodeBehind(request);
    const operation = vaultOperationOf(request);
    const seconds = limiter.take(node, operation, itemsOf(request));
    if (seconds === 0) return;
    reply.header('retry-after', wholeSeconds(seconds));
    throw rateLimited(node, operation, limiter.rateOf(node, operation));
  });
}

const OPERATION_OF_ENDING: Readonly<Record<string, VaultOperation>> = {
  '/archive': 'archive',
  '/restore': 'archive',
  '/tokens/validate': 'check-token',
  '/values/search': 'search',
  '/values/tokenized': 'check-value',
};

/** The operation that a route counts as: whatever writes counts as tokenizing, whatever only looks as reading metadata. */
export function vaultOperationOf(request: FastifyRequest): VaultOperation {
  const url = request.routeOptions.url ?? '';
  if (url.includes('/detokenize')) return 'detokenize';
  const named = Object.entries(OPERATION_OF_ENDING).find(([ending]) => url.endsWith(ending));
  if (named !== undefined) return named[1];
  if (request.method === 'DELETE') return 'delete';
  return request.method === 'GET' || request.method === 'HEAD' ? 'read-metadata' : 'tokenize';
}

/** A text costs by its length: how much there is to find in it is not known before it is searched. */
const TEXT_BYTES_PER_ITEM = 1024;

function itemsOf(request: FastifyRequest): number {
  if (!(request.routeOptions.url ?? '').startsWith('/v1/text/')) return itemsIn(request.body);
  // Envoy, which takes a body whole before it passes it on, always says its length.
  const bytes = Number(request.headers['content-length'] ?? 0);
  return Math.max(1, Math.ceil(bytes / TEXT_BYTES_PER_ITEM));
}

/** A batch that is too large is refused whole later on, and costs as one call. */
function itemsIn(body: unknown): number {
  if (typeof body !== 'object' || body === null || !('items' in body)) return 1;
  const count = Array.isArray(body.items) ? body.items.length : 1;
  return count > MAX_BATCH_ITEMS ? 1 : Math.max(1, count);
}

/** `Retry-After` has no fractions (RFC 9110 section 10.2.3): rounded up, since sooner is too soon. */
function wholeSeconds(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds)));
}
