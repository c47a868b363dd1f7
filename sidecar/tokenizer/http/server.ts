import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Mesh } from '../../../mesh/definition.ts';
import { createServer, headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { KeyState } from '../core/crypto/key-cache.ts';
import { shownAs } from '../core/errors.ts';
import type { TextService } from '../core/text/text-service.ts';
import type { Vault } from '../core/vault.ts';
import { nodeOfIdentity } from '../../../mesh/identity.ts';
import type { Metrics } from './metrics.ts';
import type { RateLimiter } from '../core/rate-limit.ts';
import { openApi } from './openapi.ts';
import { countRefusals } from './refusals.ts';
import { addServiceRoutes } from './service-routes.ts';
import { addTextRoutes } from './text-routes.ts';
import { addTokenRoutes } from './token-routes.ts';

/** Room for a batch of a thousand records of one field, or fewer of more; what is over is 413. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

export interface TokenizerParts {
  readonly vault: Vault;
  readonly text: TextService;
  readonly mesh: Mesh;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Rejects with what is not available. */
  readonly checkReady: () => Promise<void>;
  readonly limiter: RateLimiter;
  /** Which policies are in force, for GET /readyz. */
  readonly policyState?: () => PolicyState;
  /** How long it can go on without KMS, for GET /readyz. */
  readonly keyState?: () => KeyState | undefined;
}

export interface PolicyState {
  readonly revision: string;
  readonly policies: number;
  readonly updateRefusedAt?: string;
}

/** The tokenizer as an HTTP service, not yet listening. */
export async function createTokenizerServer(parts: TokenizerParts): Promise<FastifyInstance> {
  const app = createServer({
    logger: parts.logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    problemOf: shownAs,
  });
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  countRequests(app, parts);
  await app.register(swagger, openApi(parts.mesh, BODY_LIMIT_BYTES));
  await app.register(async (scope) => addServiceRoutes(scope, parts));
  await app.register(async (scope) => {
    countRefusals(scope, parts);
    addTokenRoutes(scope, parts);
  });
  await app.register(async (scope) => {
    countRefusals(scope, parts);
    addTextRoutes(scope, parts);
  });
  await app.ready();
  return app;
}

function countRequests(app: FastifyInstance, { mesh, metrics }: TokenizerParts): void {
  app.addHook('onResponse', async (request, reply) => {
    const identity = headerOf(request.headers[IDENTITY_HEADER]);
    metrics.requestAnswered({
      route: request.routeOptions.url ?? 'unknown',
      method: request.method,
      status: reply.statusCode,
      node: identity === undefined ? 'local' : (nodeOfIdentity(mesh, identity) ?? 'unknown'),
      durationSeconds: reply.elapsedTime / 1000,
    });
  });
}
