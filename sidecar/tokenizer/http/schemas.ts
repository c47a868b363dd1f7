/**
 * The shapes of requests and answers: what is checked, and what GET /openapi.json tells.
 *
 * @module
 */

import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { FIELD_CLASSES, FIELD_CLASS_NAMES } from '../core/field-class.ts';
import { MAX_BATCH_ITEMS } from '../core/items.ts';
import { FORMAT_NAMES } from '../core/formats/registry.ts';
import { DEFAULT_FORMAT, RANDOM_KIND, SUPPORTED, TOKEN_KINDS } from '../core/token-kind.ts';

const TEN_YEARS_SECONDS = 10 * 365 * 24 * 60 * 60;
const MAX_FIELDS = 32;
/** Names are kept in clear: five digits at most, so that none can be a card number. */
const FIELD_NAME = String.raw`^(?!(?:.*\d){6})[A-Za-z][A-Za-z0-9_-]{0,63}$`;

export const closed = { additionalProperties: false };

export const Token = Type.String({
  description:
    'By default tkn_ and forty letters, the last eight of them a checksum; else in the format that was asked for.',
  examples: ['tkn_bcdfghjklmnpqrstbcdfghjklmnpqrstpgrkclqk'],
});
export const Tenant = Type.String({
  minLength: 1,
  maxLength: 128,
  description: "One of the caller's tenants; its first by default.",
});
/** Kept in clear, like a field's name. */
const Subject = Type.String({
  pattern: String.raw`^(?!(?:.*\d){12})[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`,
  maxLength: 64,
  description:
    "Whose data it is, by an id of the caller's own that says nothing about the person: it is kept in clear. The record is sealed under the subject's own key, which an operator makes before, and destroys when the subject is to be forgotten.",
});
const FieldName = Type.String({ pattern: FIELD_NAME, maxLength: 64 });
export const FieldClassName = Type.String({
  minLength: 1,
  maxLength: 32,
  description: `${FIELD_CLASS_NAMES.map((name) => `${name} (${FIELD_CLASSES[name].expected}; at most ${FIELD_CLASSES[name].maxBytes} bytes)`).join(', ')}.`,
  examples: [...FIELD_CLASS_NAMES],
});
const Instant = Type.String({ format: 'date-time' });

/** The codes are listed in docs, not here: new ones may come. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    code: Type.String({ description: 'Stable, for programs.' }),
    remedy: Type.String({ description: 'What to do about it.' }),
    region: Type.Optional(
      Type.String({
        description: 'Of ERR_TOKEN_NOT_REPLICATED: the code of the region that made the token.',
      }),
    ),
    lagSeconds: Type.Optional(
      Type.Number({
        description:
          'Of ERR_TOKEN_NOT_REPLICATED: how long ago that region wrote what arrived here last; left out where nothing has.',
      }),
    ),
  },
  { description: 'A problem document (RFC 9457).' },
);

const Fields = Type.Record(
  FieldName,
  Type.Object(
    {
      class: FieldClassName,
      value: Type.String({ writeOnly: true }),
      searchable: Type.Optional(
        Type.Boolean({
          description:
            'Whether the record is to be found by this value: for the kinds random and deterministic alone.',
        }),
      ),
    },
    closed,
  ),
  { ...closed, propertyNames: FieldName, minProperties: 1, maxProperties: MAX_FIELDS },
);
const Version = Type.Integer({
  minimum: 1,
  description: 'Of a pointer: 1 at first, one more each time its record is replaced.',
});

export const TokenizeBody = Type.Object(
  {
    fields: Fields,
    kind: Type.Optional(
      Type.String({
        maxLength: 64,
        description: `"${RANDOM_KIND}" by default. What there is: ${SUPPORTED}.`,
        examples: [...TOKEN_KINDS],
      }),
    ),
    format: Type.Optional(
      Type.String({
        maxLength: 64,
        description: `"${DEFAULT_FORMAT}" by default. A format in the shape of a value needs exactly one field of its class.`,
        examples: [...FORMAT_NAMES],
      }),
    ),
    allowSmallFormat: Type.Optional(
      Type.Boolean({
        description:
          'Needed for a format of fewer than a million possibilities, beside the right to use one.',
      }),
    ),
    onExhaustion: Type.Optional(
      Type.Literal('widen', {
        description: `Where no token of the format is free, one of the format "${DEFAULT_FORMAT}" is given; 503 by default.`,
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: TEN_YEARS_SECONDS,
        description: 'The token is gone after this long, to the millisecond. It stays by default.',
      }),
    ),
    tenant: Type.Optional(Tenant),
    subject: Type.Optional(Subject),
  },
  closed,
);
export type TokenizeBody = Static<typeof TokenizeBody>;

export const DetokenizeBody = Type.Object(
  {
    token: Token,
    fields: Type.Optional(
      Type.Array(FieldName, {
        minItems: 1,
        maxItems: MAX_FIELDS,
        description:
          'The fields that are wanted; all of them by default, but for a security code: that has to be named, since a read takes it away.',
      }),
    ),
    purpose: Type.Optional(
      Type.String({
        pattern: String.raw`^[A-Za-z0-9._-]{1,64}$`,
        description: "Why: it decides whether a value is plain or masked. The caller's own by default.",
      }),
    ),
    tenant: Type.Optional(Tenant),
  },
  closed,
);
export type DetokenizeBody = Static<typeof DetokenizeBody>;

export const TokenParams = Type.Object({ token: Token });
export type TokenParams = Static<typeof TokenParams>;
export const TokenQuerystring = Type.Object({ tenant: Type.Optional(Tenant) }, closed);
export type TokenQuerystring = Static<typeof TokenQuerystring>;

export const TokenizedAnswer = Type.Object({
  token: Token,
  createdAt: Instant,
  expiresAt: Type.Optional(Instant),
  format: Type.Optional(
    Type.String({
      description: 'The format that was given, where one was asked for that is not the default.',
    }),
  ),
  version: Type.Optional(Version),
});

export const ReplaceBody = Type.Object({ fields: Fields, version: Type.Optional(Version) }, closed);
export type ReplaceBody = Static<typeof ReplaceBody>;

export const ReplacedAnswer = Type.Object({ token: Token, version: Version });

/** Six digits in a row, or twelve but for separators, may be of a card number. */
const REFERENCE = String.raw`^(?!\.{1,2}$)(?!.*\d{6})(?!.*(?:\d[._-]?){12})[A-Za-z0-9._-]{1,64}$`;

export const ReferenceParams = Type.Object({
  reference: Type.String({
    pattern: REFERENCE,
    maxLength: 64,
    description:
      "An id of the caller's own, in its tenant. It is kept in clear, so it must say nothing of a value or a person: no six digits in a row are taken.",
    examples: ['customer-17.card'],
  }),
});
export type ReferenceParams = Static<typeof ReferenceParams>;

export const UpsertBody = Type.Object(
  {
    fields: Fields,
    version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'The version that is to be replaced; 0 where there must be none yet. Whatever there is by default.',
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: TEN_YEARS_SECONDS,
        description: 'Counts where the token is made. A replacement leaves the expiry as it is.',
      }),
    ),
    tenant: Type.Optional(Tenant),
  },
  closed,
);
export type UpsertBody = Static<typeof UpsertBody>;

export const UpsertedAnswer = Type.Object({
  token: Token,
  version: Version,
  createdAt: Instant,
  expiresAt: Type.Optional(Instant),
});

export const ArchivedAnswer = Type.Object({
  token: Token,
  archivedAt: Type.Optional(Instant),
});

export const RevealedAnswer = Type.Object({
  fields: Type.Record(
    FieldName,
    Type.Object({
      value: Type.Union([Type.String(), Type.Null()]),
      form: Type.Union([Type.Literal('plain'), Type.Literal('masked'), Type.Literal('redacted')]),
    }),
  ),
});

export const DescriptionAnswer = Type.Object({
  token: Token,
  tenant: Tenant,
  createdAt: Instant,
  expiresAt: Type.Optional(Instant),
  kind: Type.String(),
  format: Type.String(),
  version: Type.Optional(Version),
  archivedAt: Type.Optional(Instant),
  subject: Type.Optional(Subject),
  fields: Type.Record(FieldName, Type.Object({ class: FieldClassName })),
});

export const HealthAnswer = Type.Object({ status: Type.Literal('ok') });

/** Files that were refused leave the service ready: it goes on with the policies that it had. */
export const ReadinessAnswer = Type.Object({
  status: Type.Literal('ok'),
  policy: Type.Optional(
    Type.Object({
      revision: Type.String({
        description: 'Of the policy files in force: the same on every task with the same files.',
      }),
      policies: Type.Integer(),
      updateRefusedAt: Type.Optional(Instant),
    }),
  ),
  keys: Type.Optional(
    Type.Object({
      goodForSeconds: Type.Integer({
        description: 'How long values can be sealed and opened if KMS does not answer any more.',
      }),
      isRefreshFailing: Type.Boolean({
        description: 'KMS or the key store did not answer the last time that it was asked.',
      }),
    }),
  ),
});

export function batchOf(item: TSchema): TSchema {
  return Type.Object({ items: Type.Array(item, { minItems: 1, maxItems: MAX_BATCH_ITEMS }) }, closed);
}

/** One result for each item, in order; an item that failed did not hold up the others. */
export function batchAnswerOf(answer: TSchema): TSchema {
  return Type.Object({
    results: Type.Array(Type.Union([answer, Type.Object({ error: ProblemSchema })])),
  });
}
