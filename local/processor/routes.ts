import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { TokenmeshError } from '../../errors/error.ts';
import { createServer } from '../../runtime/http-server.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Charges } from './charges.ts';

const ChargeBody = Type.Object(
  {
    card: Type.Object(
      {
        number: Type.String({ pattern: String.raw`^\d{12,19}$` }),
        expiry: Type.String({ pattern: String.raw`^(?:0[1-9]|1[0-2])/\d{2}$` }),
        holder: Type.String({ minLength: 1, maxLength: 4096 }),
      },
      { additionalProperties: false },
    ),
    amountCents: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  },
  { additionalProperties: false },
);
type ChargeBody = Static<typeof ChargeBody>;

const ChargeHeaders = Type.Object({ 'idempotency-key': Type.String({ minLength: 1, maxLength: 128 }) });
type ChargeHeaders = Static<typeof ChargeHeaders>;

const BODY_LIMIT_BYTES = 16_384;

export interface ProcessorPorts {
  readonly charges: Charges;
  readonly logger: Logger;
  readonly now: () => Date;
}

/**
 * `POST /charges` makes a charge (201), or finds the one that was made under the same key (200).
 *
 * Declined is a charge too: 201, with that status and no authorization.
 */
export function createProcessorServer({ charges, logger, now }: ProcessorPorts): FastifyInstance {
  const server = createServer({
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    problemOf: ({ code }) =>
      code === 'ERR_IDEMPOTENCY_KEY_REUSED'
        ? { status: 409, title: 'The idempotency key is taken.' }
        : undefined,
  });
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/charges', () => ({ charges: charges.list() }));
  server.post<{ Body: ChargeBody; Headers: ChargeHeaders }>(
    '/charges',
    { schema: { body: ChargeBody, headers: ChargeHeaders } },
    async (request, reply) => {
      const made = charges.make(request.headers['idempotency-key'], request.body, now());
      if (made === 'conflict') throw keyReused();
      logger.info(
        { chargeId: made.charge.id, status: made.charge.status, outcome: made.outcome },
        'charge answered',
      );
      return reply.status(made.outcome === 'made' ? 201 : 200).send(made.charge);
    },
  );
  return server;
}

function keyReused(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_IDEMPOTENCY_KEY_REUSED',
    message: 'the idempotency key is taken: expected the request that it came with first, got another',
    remedy: 'send another request under another key',
  });
}
