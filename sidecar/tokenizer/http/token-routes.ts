import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TokenmeshError } from '../../../errors/error.ts';
import { headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import type { Caller } from '../core/vault.ts';
import { descriptionAnswer, revealedAnswer, tokenizedAnswer } from './answers.ts';
import { batchItems, batchResults, bodiesOf } from './batch.ts';
import { idempotentCaller, tellReplay, tellWhenToRetry } from './idempotency.ts';
import type { Metrics } from './metrics.ts';
import { addArchiveRoutes } from './archive-routes.ts';
import { addPointerRoutes } from './pointer-routes.ts';
import { addReferenceRoutes } from './reference-routes.ts';
import { callerOf, peerOf } from './peer.ts';
import { addRateLimit } from './rate-limit.ts';
import {
  batchAnswerOf,
  batchOf,
  DescriptionAnswer,
  DetokenizeBody,
  ProblemSchema,
  RevealedAnswer,
  TokenizeBody,
  TokenizedAnswer,
  TokenParams,
  TokenQuerystring,
} from './schemas.ts';
import type { TokenizerParts } from './server.ts';
import { addValueRoutes } from './value-routes.ts';

export const PROBLEMS = { '4xx': ProblemSchema, '5xx': ProblemSchema };

/** The answer to one batch: what became of each item, in order. */
interface Results {
  readonly results: readonly object[];
}

/** What the vault does, for callers to whom the mesh grants something of it. */
export function addTokenRoutes(app: FastifyInstance, parts: TokenizerParts): void {
  const callerBehind = (request: FastifyRequest): Caller => ({
    ...callerOf(parts.mesh, peerOf(parts.mesh, headerOf(request.headers[IDENTITY_HEADER]))),
    requestId: request.id,
  });
  // Before the body is read: who has no right here is not to make us parse eight megabytes.
  app.addHook('onRequest', async (request) => {
    callerBehind(request);
  });
  addRateLimit(app, parts);
  addTokenize(app, parts, callerBehind);
  addDetokenize(app, parts, callerBehind);
  addKeeping(app, parts, callerBehind);
  addPointerRoutes(app, parts, callerBehind);
  addArchiveRoutes(app, parts, callerBehind);
  addValueRoutes(app, parts, callerBehind);
  addReferenceRoutes(app, parts, callerBehind);
}

export type CallerBehind = (request: FastifyRequest) => Caller;

function addTokenize(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.post<{ Body: TokenizeBody }>(
    '/v1/tokens',
    {
      schema: {
        summary: 'Tokenize the fields of one record',
        body: TokenizeBody,
        response: { 201: TokenizedAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const done = await counted(metrics, 'tokenize', () =>
        vault.tokenize(idempotentCaller(callerBehind, request), request.body),
      ).catch(tellWhenToRetry(reply));
      tellReplay(reply, [done]);
      return await reply.status(201).send(tokenizedAnswer(done));
    },
  );
  app.post(
    '/v1/tokens/batch',
    {
      attachValidation: true,
      schema: {
        summary: 'Tokenize many records',
        body: batchOf(TokenizeBody),
        response: { 200: batchAnswerOf(TokenizedAnswer), ...PROBLEMS },
      },
    },
    async (request, reply): Promise<Results> => {
      const items = batchItems<TokenizeBody>(request, TokenizeBody);
      const results = await vault
        .tokenizeBatch(idempotentCaller(callerBehind, request), bodiesOf(items))
        .catch(tellWhenToRetry(reply));
      tellReplay(
        reply,
        results.flatMap((each) => ('result' in each ? [each.result] : [])),
      );
      return countedResults(metrics, 'tokenize', batchResults(items, results, tokenizedAnswer));
    },
  );
}

function addDetokenize(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.post<{ Body: DetokenizeBody }>(
    '/v1/detokenize',
    {
      schema: {
        summary: 'Reveal the fields of one record, as plain as the policy lets the caller see them',
        body: DetokenizeBody,
        response: { 200: RevealedAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      revealedAnswer(
        await counted(metrics, 'detokenize', () => vault.detokenize(callerBehind(request), request.body)),
      ),
  );
  app.post(
    '/v1/detokenize/batch',
    {
      attachValidation: true,
      schema: {
        summary: 'Reveal the fields of many records',
        body: batchOf(DetokenizeBody),
        response: { 200: batchAnswerOf(RevealedAnswer), ...PROBLEMS },
      },
    },
    async (request): Promise<Results> => {
      const items = batchItems<DetokenizeBody>(request, DetokenizeBody);
      const results = await vault.detokenizeBatch(callerBehind(request), bodiesOf(items));
      return countedResults(metrics, 'detokenize', batchResults(items, results, revealedAnswer));
    },
  );
}

function addKeeping(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.get<{ Params: TokenParams; Querystring: TokenQuerystring }>(
    '/v1/tokens/:token',
    {
      schema: {
        summary: 'What is known of a token, without its values',
        params: TokenParams,
        querystring: TokenQuerystring,
        response: { 200: DescriptionAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      descriptionAnswer(
        await counted(metrics, 'describe', () =>
          vault.describe(callerBehind(request), { ...request.query, ...request.params }),
        ),
      ),
  );
  app.delete<{ Params: TokenParams; Querystring: TokenQuerystring }>(
    '/v1/tokens/:token',
    {
      schema: {
        summary: 'Delete a token and its record',
        params: TokenParams,
        querystring: TokenQuerystring,
        response: { 204: { type: 'null', description: 'It is gone.' }, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      await counted(metrics, 'delete', () =>
        vault.delete(callerBehind(request), { ...request.query, ...request.params }),
      );
      return await reply.status(204).send();
    },
  );
}

export async function counted<Result>(
  metrics: Metrics,
  operation: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await run();
    metrics.itemDone(operation, 'ok');
    return result;
  } catch (error) {
    metrics.itemDone(operation, error instanceof TokenmeshError ? error.code : 'ERR_INTERNAL');
    throw error;
  }
}

function countedResults(metrics: Metrics, operation: string, results: readonly object[]): Results {
  for (const each of results) {
    metrics.itemDone(operation, 'error' in each ? (each.error as { code: string }).code : 'ok');
  }
  return { results };
}
