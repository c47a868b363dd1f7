import { Type, type TProperties, type TSchema } from '@sinclair/typebox';
import { FINDING_CLASSES } from '../core/text/finding.ts';
import { MAX_FINDINGS, MAX_JSON_DEPTH, MAX_TEXT_BYTES } from '../core/text/limits.ts';
import { DetokenizeBody, TokenizeBody } from './schemas.ts';

const LIMITS = `At most ${MAX_TEXT_BYTES} bytes in UTF-8.`;

const content = {
  text: Type.Optional(Type.String({ description: LIMITS })),
  json: Type.Optional(
    Type.Unknown({ description: `Any JSON value, nested at most ${MAX_JSON_DEPTH} deep. ${LIMITS}` }),
  ),
};

/** Beside its options a body has a text or a document, and an answer the same of the two. */
function withContent(properties: TProperties, options: object): TSchema {
  return Type.Object(
    { ...content, ...properties },
    { ...options, oneOf: [{ required: ['text'] }, { required: ['json'] }] },
  );
}

const FindingClassName = Type.Union(FINDING_CLASSES.map((name) => Type.Literal(name)));

export const TextTokenizeBody = withContent(
  {
    mode: Type.Optional(
      Type.Union([Type.Literal('token'), Type.Literal('mask')], {
        description: 'What stands in place of what was found; token by default. A mask stores nothing.',
      }),
    ),
    classes: Type.Optional(
      Type.Array(FindingClassName, {
        minItems: 1,
        maxItems: FINDING_CLASSES.length,
        description: 'What to look for; everything by default.',
      }),
    ),
    country: Type.Optional(
      Type.String({
        pattern: '^[A-Z]{2}$',
        description: 'Where phone numbers without a country code are from; without it they are not found.',
        examples: ['US'],
      }),
    ),
    tenant: TokenizeBody.properties.tenant,
    ttlSeconds: TokenizeBody.properties.ttlSeconds,
  },
  { additionalProperties: false },
);

export const TextTokenizedAnswer = withContent(
  {
    findings: Type.Array(
      Type.Object({
        class: FindingClassName,
        path: Type.Optional(Type.String({ description: 'A JSON pointer into the answered document.' })),
        start: Type.Integer({ minimum: 0, description: 'In UTF-16 code units, as the text was sent.' }),
        end: Type.Integer({ minimum: 0 }),
        confidence: Type.Number({ minimum: 0, maximum: 1 }),
        token: Type.Optional(Type.String({ description: 'Absent where nothing was stored.' })),
        masked: Type.String(),
      }),
      { maxItems: MAX_FINDINGS },
    ),
  },
  {},
);

export const TextDetokenizeBody = withContent(
  { purpose: DetokenizeBody.properties.purpose, tenant: DetokenizeBody.properties.tenant },
  { additionalProperties: false },
);

const Count = Type.Integer({ minimum: 0 });

export const TextDetokenizedAnswer = withContent(
  {
    replacements: Type.Object({
      plain: Count,
      masked: Count,
      redacted: Count,
      unknown: Count,
      unusable: Count,
    }),
  },
  {},
);
