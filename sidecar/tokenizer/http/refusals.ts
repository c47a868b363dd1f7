import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TokenmeshError } from '../../../errors/error.ts';
import type { Problem } from '../../../errors/problem.ts';
import { nodeOfIdentity } from '../../../mesh/identity.ts';
import { headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import { shownAs } from '../core/errors.ts';
import { vaultOperationOf } from './rate-limit.ts';
import type { TokenizerParts } from './server.ts';

/** What a caller was refused for what it is or does, not for what it sent. */
const REFUSED: ReadonlySet<number> = new Set([403, 429]);

/** Counts refusals, of whole requests and of items of a batch, by who was refused what and why. */
export function countRefusals(app: FastifyInstance, { mesh, metrics }: TokenizerParts): void {
  const count = (request: FastifyRequest, code: string): void => {
    const identity = headerOf(request.headers[IDENTITY_HEADER]) ?? '';
    const node = nodeOfIdentity(mesh, identity) ?? 'unknown';
    metrics.refused({ node, operation: vaultOperationOf(request), code });
  };
  app.addHook('onError', async (request, _reply, error) => {
    if (!(error instanceof TokenmeshError)) return;
    if (REFUSED.has(shownAs(error)?.status ?? 0)) count(request, error.code);
  });
  app.addHook('preSerialization', async (request, _reply, answer: unknown) => {
    for (const problem of problemsIn(answer)) if (REFUSED.has(problem.status)) count(request, problem.code);
    return answer;
  });
}

function problemsIn(answer: unknown): Problem[] {
  if (typeof answer !== 'object' || answer === null || !('results' in answer)) return [];
  const results = Array.isArray(answer.results) ? (answer.results as { readonly error?: Problem }[]) : [];
  return results.flatMap(({ error }) => (error === undefined ? [] : [error]));
}
