/**
 * Personal and card data in texts and JSON: found and replaced by tokens or
 * masks, and tokens in any text turned back.
 *
 * No IO of its own: records are the vault's, so that every right, limit and
 * record of what was done is as for any other token.
 *
 * @module
 */

import type { FieldClass } from '../field-class.ts';
import type { Policy } from '../policy.ts';
import type { Caller, Vault } from '../vault.ts';
import { createTextDetokenizing } from './text-detokenizing.ts';
import { createTextTokenizing } from './text-tokenizing.ts';
import type { MarkKeys } from '../marks/opening.ts';
import type { FindingClass } from './finding.ts';
import type { DetectionPorts } from './ports.ts';

/** Either a text or any JSON value, which may be null. */
export type Content = { readonly text: string } | { readonly json: unknown };

export type TextTokenizeRequest = Content & {
  /** @default token */
  readonly mode?: 'token' | 'mask';
  /** @default all that can be found */
  readonly classes?: readonly FindingClass[];
  readonly country?: string;
  readonly ttlSeconds?: number;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
};

export interface ReportedFinding {
  readonly class: FindingClass;
  /** Where in the document, for JSON. */
  readonly path?: string;
  /** In UTF-16 code units of the text, or of the string at the path, as it was sent. */
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  /** Absent where nothing was stored: in mode mask, and for a security code. */
  readonly token?: string;
  readonly masked: string;
}

export type TextTokenized = Content & { readonly findings: readonly ReportedFinding[] };

export type TextDetokenizeRequest = Content & {
  /** @default the default purpose of the caller */
  readonly purpose?: string;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
};

/** How many tokens were replaced by what; the last three are those that were left in their place. */
export interface Replacements {
  readonly plain: number;
  readonly masked: number;
  /** The caller may see no form of the value. */
  readonly redacted: number;
  /** Unknown to the tenant, deleted, expired, archived, or of a subject whose key was destroyed. */
  readonly unknown: number;
  /** The record has several fields and none is called `value`, or it does not open, or has no value. */
  readonly unusable: number;
}

export type TextDetokenized = Content & { readonly replacements: Replacements };

export interface TextService {
  tokenize(caller: Caller, request: TextTokenizeRequest): Promise<TextTokenized>;
  detokenize(caller: Caller, request: TextDetokenizeRequest): Promise<TextDetokenized>;
}

export interface TextParts {
  readonly vault: Pick<Vault, 'tokenizeBatch' | 'detokenizeBatch' | 'revealMarks'>;
  /** @default no mark opens */
  readonly markKeys?: MarkKeys;
  readonly policy: Policy;
  readonly detection: DetectionPorts;
}

/** The one field of a record that stands for something found in a text. */
export const VALUE_FIELD = 'value';

/** Never stored, not even for a moment: PCI DSS 4.0 requirement 3.3.1. It is masked whatever the mode. */
export function isStorable(found: FindingClass): found is Exclude<FindingClass & FieldClass, 'cvv'> {
  return found !== 'cvv';
}

export function createTextService(parts: TextParts): TextService {
  return { tokenize: createTextTokenizing(parts), detokenize: createTextDetokenizing(parts) };
}
