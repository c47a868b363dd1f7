import { TokenmeshError } from '../../../../errors/error.ts';
import { requireClasses, requireOperation, tenantOf } from '../access.ts';
import { mask } from '../mask.ts';
import type { Caller } from '../vault.ts';
import { checkContent, mapContent, spliced, type ContentText } from './content.ts';
import { FINDING_CLASSES, type Finding, type FindingClass } from './finding.ts';
import { createMarkFinder } from './marks-in-text.ts';
import { createFinder } from './finder.ts';
import type { PhoneNumbers } from './ports.ts';
import {
  isStorable,
  VALUE_FIELD,
  type ReportedFinding,
  type TextParts,
  type TextService,
  type TextTokenizeRequest,
} from './text-service.ts';

/** What was found, as it is written: that is what is stored, so that the text can be had back to the letter. */
interface Found extends Finding {
  readonly written: string;
}

/** The tokens of what was stored, by {@link keyOf}. */
type Tokens = ReadonlyMap<string, string>;

export function createTextTokenizing(parts: TextParts): TextService['tokenize'] {
  return async (caller, request) => {
    const tenant = tenantOf(caller, request.tenant);
    requireOperation(parts.policy, caller, 'tokenize', tenant);
    checkCountry(request.country, parts.detection.phoneNumbers);
    checkContent(request);
    const found = await findAll(parts, request, tenant);
    const tokens =
      request.mode === 'mask' ? NO_TOKENS : await store(parts, caller, request, tenant, found.flat());
    return await replaceAll(request, found, tokens);
  };
}

const NO_TOKENS: Tokens = new Map();

/** What was found in each text of the content, in their order. */
async function findAll(
  { detection, markKeys }: TextParts,
  request: TextTokenizeRequest,
  tenant: string,
): Promise<Found[][]> {
  const classes = new Set<FindingClass>(request.classes ?? FINDING_CLASSES);
  const find = createFinder({ classes, country: request.country }, detection);
  const openIn = createMarkFinder({ classes, keys: markKeys, tenant });
  const all: Found[][] = [];
  await mapContent(request, async (each) => {
    const found = await find(each.text, 'name' in each ? each.name : undefined);
    const written = found
      .filter((finding) => isWholeEnough(each, finding))
      .map((finding) => ({ ...finding, written: each.text.slice(finding.start, finding.end) }));
    const opened = await openIn(each.text);
    all.push([...written, ...opened].sort((one, other) => one.start - other.start));
    return each.text;
  });
  return all;
}

/** Part of a number cannot be replaced by a text. */
function isWholeEnough({ kind, text }: ContentText, { start, end }: Finding): boolean {
  return kind !== 'number' || (start === 0 && end === text.length);
}

/** Two findings share a token where they are of one class and written alike. */
function keyOf({ class: found, written }: Found): string {
  return `${found} ${written}`;
}

/**
 * Stores every finding that may be stored, as one batch.
 *
 * @throws {TokenmeshError} `ERR_CLASS_DENIED` naming each class that the caller may not tokenize: nothing is
 *   stored then, and nothing returned that would look as if it were safe. Where one item of the batch fails,
 *   its error: the tokens of the others are handed to nobody.
 */
async function store(
  { policy, vault }: TextParts,
  caller: Caller,
  { ttlSeconds }: TextTokenizeRequest,
  tenant: string,
  found: readonly Found[],
): Promise<Tokens> {
  const storable = new Map(
    found.flatMap((each) => (isStorable(each.class) ? [[keyOf(each), each] as const] : [])),
  );
  const classes = [...storable.values()].flatMap((each) => (isStorable(each.class) ? [each.class] : []));
  requireClasses(policy, caller, 'tokenize', tenant, classes);
  if (storable.size === 0) return NO_TOKENS;
  const requests = [...storable.values()].map(({ class: name, value, written }) => ({
    fields: { [VALUE_FIELD]: { class: name, value, written } },
    tenant,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  }));
  const results = (await vault.tokenizeBatch(caller, requests)).values();
  return new Map(
    [...storable.keys()].map((key) => {
      const outcome = results.next().value;
      if (outcome === undefined) throw new Error('expected one result for each item of the batch');
      if ('error' in outcome) throw outcome.error;
      return [key, outcome.result.token];
    }),
  );
}

async function replaceAll(
  request: TextTokenizeRequest,
  found: readonly (readonly Found[])[],
  tokens: Tokens,
): ReturnType<TextService['tokenize']> {
  const pending = found.values();
  const findings: ReportedFinding[] = [];
  const content = await mapContent(request, async (each) => {
    const within = (pending.next().value ?? []).map((one) => reported(each, one, tokens.get(keyOf(one))));
    findings.push(...within);
    return spliced(
      each.text,
      within.map(({ start, end, token, masked }) => ({ start, end, by: token ?? masked })),
    );
  });
  return { ...content, findings };
}

function reported(text: ContentText, found: Found, token: string | undefined): ReportedFinding {
  const { class: name, start, end, confidence, written } = found;
  return {
    class: name,
    ...('path' in text ? { path: text.path } : {}),
    start,
    end,
    confidence: Math.round(confidence * 100) / 100,
    ...(token === undefined ? {} : { token }),
    masked: isStorable(name) ? mask(name, written) : '***',
  };
}

/** @throws {TokenmeshError} `ERR_COUNTRY_UNKNOWN` */
function checkCountry(country: string | undefined, phoneNumbers: PhoneNumbers): void {
  if (country === undefined || phoneNumbers.knowsCountry(country)) return;
  throw new TokenmeshError({
    code: 'ERR_COUNTRY_UNKNOWN',
    message: 'the country has no numbering plan: expected two letters of ISO 3166-1, such as US',
    remedy: 'correct the country, or leave it out: phone numbers are then found by their country code alone',
  });
}
