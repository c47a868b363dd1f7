import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Archived, Caller, TokenQuery } from '../core/vault.ts';
import { archivedAnswer } from './answers.ts';
import { ArchivedAnswer, TokenParams, TokenQuerystring } from './schemas.ts';
import type { TokenizerParts } from './server.ts';
import { counted, PROBLEMS, type CallerBehind } from './token-routes.ts';

/** Takes tokens out of use, and brings them back. */
export function addArchiveRoutes(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  const add = (
    verb: 'archive' | 'restore',
    summary: string,
    run: (caller: Caller, query: TokenQuery) => Promise<Archived>,
  ): void => {
    app.post<{ Params: TokenParams; Querystring: TokenQuerystring }>(
      `/v1/tokens/:token/${verb}`,
      {
        schema: {
          summary,
          params: TokenParams,
          querystring: TokenQuerystring,
          response: { 200: ArchivedAnswer, ...PROBLEMS },
        },
      },
      async (request: FastifyRequest<{ Params: TokenParams; Querystring: TokenQuerystring }>) =>
        archivedAnswer(
          await counted(metrics, verb, () =>
            run(callerBehind(request), { ...request.query, ...request.params }),
          ),
        ),
    );
  };
  add('archive', 'Take a token out of use; its record stays', (caller, query) =>
    vault.archive(caller, query),
  );
  add('restore', 'Bring an archived token back', (caller, query) => vault.restore(caller, query));
}
