import type { FastifyInstance } from 'fastify';
import { tokenizedAnswer } from './answers.ts';
import { ReferenceParams, UpsertBody, UpsertedAnswer } from './schemas.ts';
import type { TokenizerParts } from './server.ts';
import { counted, PROBLEMS, type CallerBehind } from './token-routes.ts';

/** What is stored under the callers' own ids. */
export function addReferenceRoutes(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.put<{ Params: ReferenceParams; Body: UpsertBody }>(
    '/v1/references/:reference',
    {
      schema: {
        summary: "Store a record under the caller's own reference, or replace the one that is there",
        params: ReferenceParams,
        body: UpsertBody,
        response: { 200: UpsertedAnswer, 201: UpsertedAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const done = await counted(metrics, 'upsert', () =>
        vault.upsert(callerBehind(request), { ...request.params, ...request.body }),
      );
      return await reply.status(done.isNew ? 201 : 200).send(tokenizedAnswer(done));
    },
  );
}
