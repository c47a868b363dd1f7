import type { FastifyInstance } from 'fastify';
import type { TokenizerParts } from './server.ts';
import { counted, PROBLEMS, type CallerBehind } from './token-routes.ts';
import {
  ValidAnswer,
  ValidateBody,
  ValueBody,
  ValueTokenizedAnswer,
  ValueTokensAnswer,
} from './value-schemas.ts';

/** What is asked about values and tokens without revealing any. A value is in the body, never in a URL. */
export function addValueRoutes(
  app: FastifyInstance,
  { vault, metrics }: TokenizerParts,
  callerBehind: CallerBehind,
): void {
  app.post<{ Body: ValueBody }>(
    '/v1/values/search',
    {
      schema: {
        summary: 'Find the tokens of a value',
        body: ValueBody,
        response: { 200: ValueTokensAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const { tokens, isWhole } = await counted(metrics, 'search', () =>
        vault.search(callerBehind(request), request.body),
      );
      return { tokens, ...(isWhole ? {} : { truncated: true }) };
    },
  );
  app.post<{ Body: ValueBody }>(
    '/v1/values/tokenized',
    {
      schema: {
        summary: 'Has a value a token, and not which',
        body: ValueBody,
        response: { 200: ValueTokenizedAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const answer = await counted(metrics, 'check-value', () =>
        vault.isTokenized(callerBehind(request), request.body),
      );
      return { tokenized: answer.isTokenized };
    },
  );
  app.post<{ Body: ValidateBody }>(
    '/v1/tokens/validate',
    {
      schema: {
        summary: 'Is a token in use, and nothing of it',
        body: ValidateBody,
        response: { 200: ValidAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const answer = await counted(metrics, 'check-token', () =>
        vault.isValid(callerBehind(request), request.body),
      );
      return { valid: answer.isValid };
    },
  );
}
