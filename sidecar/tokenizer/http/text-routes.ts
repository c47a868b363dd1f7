import type { FastifyInstance, FastifyRequest } from 'fastify';
import { headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import type { TextDetokenizeRequest, TextTokenizeRequest } from '../core/text/text-service.ts';
import type { Caller } from '../core/vault.ts';
import { callerOf, peerOf } from './peer.ts';
import { addRateLimit } from './rate-limit.ts';
import { ProblemSchema } from './schemas.ts';
import type { TokenizerParts } from './server.ts';
import {
  TextDetokenizeBody,
  TextDetokenizedAnswer,
  TextTokenizeBody,
  TextTokenizedAnswer,
} from './text-schemas.ts';
import { counted } from './token-routes.ts';

const PROBLEMS = { '4xx': ProblemSchema, '5xx': ProblemSchema };

/** Personal and card data in texts and JSON, replaced and turned back. */
export function addTextRoutes(app: FastifyInstance, parts: TokenizerParts): void {
  const { mesh, text, metrics } = parts;
  const callerBehind = (request: FastifyRequest): Caller => ({
    ...callerOf(mesh, peerOf(mesh, headerOf(request.headers[IDENTITY_HEADER]))),
    requestId: request.id,
  });
  // Before the body is read: who has no right here is not to make us parse it.
  app.addHook('onRequest', async (request) => {
    callerBehind(request);
  });
  addRateLimit(app, parts);
  app.post<{ Body: TextTokenizeRequest }>(
    '/v1/text/tokenize',
    {
      schema: {
        summary: 'Find personal and card data in a text or a document, and put tokens or masks in its place',
        body: TextTokenizeBody,
        response: { 200: TextTokenizedAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      await counted(metrics, 'text-tokenize', () => text.tokenize(callerBehind(request), request.body)),
  );
  app.post<{ Body: TextDetokenizeRequest }>(
    '/v1/text/detokenize',
    {
      schema: {
        summary:
          'Turn every token in a text or a document back, as plain as the policy lets the caller see it',
        body: TextDetokenizeBody,
        response: { 200: TextDetokenizedAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      await counted(metrics, 'text-detokenize', () => text.detokenize(callerBehind(request), request.body)),
  );
}
