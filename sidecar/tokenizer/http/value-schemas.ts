import { Type, type Static } from '@sinclair/typebox';
import { MAX_FOUND } from '../core/fingerprints/searching.ts';
import { closed, FieldClassName, Tenant, Token } from './schemas.ts';

export const ValueBody = Type.Object(
  {
    class: FieldClassName,
    value: Type.String({ writeOnly: true }),
    tenant: Type.Optional(Tenant),
  },
  closed,
);
export type ValueBody = Static<typeof ValueBody>;

export const ValueTokensAnswer = Type.Object({
  tokens: Type.Array(Token, {
    maxItems: MAX_FOUND,
    description:
      'The tokens in use whose value was tokenized as searchable, or by a kind that follows from the value.',
  }),
  truncated: Type.Optional(
    Type.Literal(true, {
      description: `There where the value has more tokens, or may have: at most ${MAX_FOUND} are looked at.`,
    }),
  ),
});

export const ValueTokenizedAnswer = Type.Object({ tokenized: Type.Boolean() });

export const ValidateBody = Type.Object({ token: Token, tenant: Type.Optional(Tenant) }, closed);
export type ValidateBody = Static<typeof ValidateBody>;

export const ValidAnswer = Type.Object({
  valid: Type.Boolean({
    description: 'Whether the token is in use. Malformed, unknown, expired, used up, archived: all the same.',
  }),
});
