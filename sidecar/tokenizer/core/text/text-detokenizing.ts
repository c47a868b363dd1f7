import { TokenmeshError, type ErrorCode } from '../../../../errors/error.ts';
import { requireOperation, tenantOf } from '../access.ts';
import type { Caller, ItemResult, Revealed, RevealedField } from '../vault.ts';
import { checkContent, mapContent, spliced } from './content.ts';
import { checkFindingCount } from './limits.ts';
import {
  VALUE_FIELD,
  type Replacements,
  type TextDetokenizeRequest,
  type TextParts,
  type TextService,
} from './text-service.ts';
import { marksIn, parseMark } from '../marks/mark.ts';
import { tokensIn } from './tokens-in-text.ts';

/** What becomes of a token, and as what it is counted; without a value it stays. */
interface Verdict {
  readonly count: keyof Replacements;
  readonly value?: string;
}

export function createTextDetokenizing(parts: TextParts): TextService['detokenize'] {
  return async (caller, request) => {
    const tenant = tenantOf(caller, request.tenant);
    requireOperation(parts.policy, caller, 'reveal-masked', tenant);
    checkContent(request);
    const verdicts = await judge(parts, caller, request, await foundIn(request));
    const replacements = { plain: 0, masked: 0, redacted: 0, unknown: 0, unusable: 0 };
    const content = await mapContent(request, async ({ text }) => {
      const splices = placesIn(text).flatMap(({ what, ...place }) => {
        const verdict = verdicts.get(what);
        if (verdict === undefined) return [];
        replacements[verdict.count] += 1;
        return verdict.value === undefined ? [] : [{ ...place, by: verdict.value }];
      });
      return spliced(text, splices);
    });
    return { ...content, replacements };
  };
}

/** A token or a mark, and where it stands. */
interface Place {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

/** In the order of the text: a token that is part of a mark is the mark's. */
function placesIn(text: string): Place[] {
  const marks = marksIn(text).map(({ text: what, ...place }) => ({ what, ...place }));
  const tokens = tokensIn(text)
    .map(({ token: what, ...place }) => ({ what, ...place }))
    .filter(({ start, end }) => !marks.some((mark) => mark.start < end && start < mark.end));
  return [...marks, ...tokens].sort((one, other) => one.start - other.start);
}

interface Found {
  readonly tokens: readonly string[];
  readonly marks: readonly string[];
}

async function foundIn(request: TextDetokenizeRequest): Promise<Found> {
  const found: string[] = [];
  await mapContent(request, async ({ text }) => {
    found.push(...placesIn(text).map(({ what }) => what));
    checkFindingCount(found.length, 'tokens');
    return text;
  });
  const each = [...new Set(found)];
  return {
    tokens: each.filter((what) => parseMark(what) === undefined),
    marks: each.filter((what) => parseMark(what) !== undefined),
  };
}

async function judge(
  { vault }: TextParts,
  caller: Caller,
  { purpose, tenant }: TextDetokenizeRequest,
  { tokens, marks }: Found,
): Promise<ReadonlyMap<string, Verdict>> {
  const options = {
    ...(purpose === undefined ? {} : { purpose }),
    ...(tenant === undefined ? {} : { tenant }),
  };
  const [revealed, opened] = await Promise.all([
    tokens.length === 0
      ? []
      : vault.detokenizeBatch(
          caller,
          tokens.map((token) => ({ token, ...options })),
        ),
    marks.length === 0
      ? []
      : vault.revealMarks(
          caller,
          marks.map((mark) => ({ mark, ...options })),
        ),
  ]);
  return new Map([
    ...tokens.map((token, index) => [token, verdictOf(revealed[index])] as const),
    ...marks.map((mark, index) => [mark, verdictOf(opened[index])] as const),
  ]);
}

/** What is no reason to refuse the whole text. Anything else is: a text half turned back looks whole. */
const LEFT: Readonly<Record<ErrorCode, keyof Replacements>> = {
  ERR_CLASS_DENIED: 'redacted',
  ERR_TOKEN_UNKNOWN: 'unknown',
  ERR_TOKEN_NOT_REPLICATED: 'unknown',
  ERR_TOKEN_EXPIRED: 'unknown',
  ERR_SUBJECT_SHREDDED: 'unknown',
  ERR_TOKEN_ARCHIVED: 'unknown',
  ERR_TOKEN_ONE_WAY: 'unusable',
  ERR_RECORD_UNOPENABLE: 'unusable',
  ERR_MARK_UNOPENABLE: 'unusable',
};

/** @throws {TokenmeshError} what refused one token for a reason that is not its own. */
function verdictOf(result: ItemResult<Revealed> | undefined): Verdict {
  if (result === undefined) throw new Error('expected one result for each token');
  if ('error' in result) return { count: countOf(result.error) };
  const field = fieldOf(result.result);
  if (field === undefined) return { count: 'unusable' };
  return { count: field.form, ...(field.value === null ? {} : { value: field.value }) };
}

function countOf(error: TokenmeshError): keyof Replacements {
  const count = LEFT[error.code];
  if (count === undefined) throw error;
  return count;
}

function fieldOf({ fields }: Revealed): RevealedField | undefined {
  const only = fields.size === 1 ? [...fields.values()][0] : undefined;
  return only ?? fields.get(VALUE_FIELD);
}
