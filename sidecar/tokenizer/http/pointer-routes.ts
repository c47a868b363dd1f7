import type { FastifyInstance } from 'fastify';
import { replacedAnswer } from './answers.ts';
import { ReplaceBody, ReplacedAnswer, TokenParams, TokenQuerystring } from './schemas.ts';
import type { TokenizerParts } from './server.ts';
import { counted, PROBLEMS, type CallerBehind } from './token-routes.ts';

/** What is done with a token whose record may change. */
export function addPointerRoutes(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.put<{ Params: TokenParams; Querystring: TokenQuerystring; Body: ReplaceBody }>(
    '/v1/tokens/:token',
    {
      schema: {
        summary: 'Replace the record behind a token of the kind "pointer"',
        params: TokenParams,
        querystring: TokenQuerystring,
        body: ReplaceBody,
        response: { 200: ReplacedAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      replacedAnswer(
        await counted(metrics, 'replace', () =>
          vault.replace(callerBehind(request), { ...request.query, ...request.params, ...request.body }),
        ),
      ),
  );
}
