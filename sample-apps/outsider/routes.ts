import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { FastifyInstance } from 'fastify';
import type { Dispatcher } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';
import { createServer } from '../../runtime/http-server.ts';
import type { Logger } from '../../runtime/log.ts';
import { addHealthRoutes } from '../app-process.ts';
import { NIL_ORDER_ID } from '../order-id.ts';
import { ATTEMPTS } from './attempts.ts';
import { makeAttempts } from './make-attempts.ts';

/** A token and an order that exist make the attempts count for more; they may be left out. */
const Targets = Type.Object(
  {
    token: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._~-]{1,256}$' })),
    orderId: Type.Optional(Type.String({ pattern: '^[0-9a-f-]{36}$' })),
  },
  { additionalProperties: false },
);

/** Has the shape of a token and stands for nothing: the Envoys refuse before anyone looks. */
const NO_TOKEN = `tkn_${'b'.repeat(40)}`;

export interface OutsiderPorts {
  readonly dispatcher: Dispatcher;
  readonly logger: Logger;
}

/** `POST /attempts` is for whoever has the app's socket: no listener of the mesh leads to it. */
export function createOutsiderServer({ dispatcher, logger }: OutsiderPorts): FastifyInstance {
  const server = createServer({
    logger,
    bodyLimitBytes: 1_024,
    problemOf: ({ code }) =>
      code === 'ERR_REQUEST_INVALID' ? { status: 400, title: 'The request is not valid.' } : undefined,
  });
  addHealthRoutes(server, () => Promise.resolve());
  server.post('/attempts', async (request) => {
    const targets: unknown = request.body ?? {};
    if (!Value.Check(Targets, targets)) throw invalidTargets();
    return makeAttempts(ATTEMPTS, dispatcher, {
      token: targets.token ?? NO_TOKEN,
      orderId: targets.orderId ?? NIL_ORDER_ID,
    });
  });
  return server;
}

function invalidTargets(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REQUEST_INVALID',
    message: 'the targets are not usable: expected an object with at most "token" and "orderId", got another',
    remedy: 'leave the body out, or name a token and an order',
  });
}
