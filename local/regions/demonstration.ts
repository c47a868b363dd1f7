/**
 * What two regions promise, tried on the pair that runs: what one made the other reads, with the key of its own.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { TokenmeshError } from '../../errors/error.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { readRegions } from '../../operator/regions/emulated-regions.ts';
import type { RunState } from '../../operator/run-state.ts';
import { callTokenizer } from '../../operator/vault-call.ts';

const ARRIVES_WITHIN_MS = 20_000;

export interface ReadElsewhere {
  readonly token: string;
  readonly value: string;
  readonly afterMs: number;
}

export async function tokenizeIn(state: RunState, number: string, more: object = {}): Promise<string> {
  const fields = { number: { class: 'pan', value: number } };
  const made = await callTokenizer(state, 'order', '/v1/tokens', { fields, ...more });
  return (made as { token: string }).token;
}

/** @throws {TokenmeshError} what the tokenizer answered */
export async function revealIn(state: RunState, token: string): Promise<string> {
  const revealed = await callTokenizer(state, 'paybill', '/v1/detokenize', { token });
  return (revealed as { fields: { number: { value: string } } }).fields.number.value;
}

/** Makes a token in one region, and reads it in the other as soon as it is there. */
export async function readElsewhere(here: RunState, there: RunState): Promise<ReadElsewhere> {
  const { number } = testCard('visa', 16);
  const token = await tokenizeIn(here, number, { format: 'region' });
  return { token, value: number, afterMs: await untilRead(there, token, number) };
}

/** @returns How long it took until the token opened to its value. @throws {TokenmeshError} `ERR_TOKEN_NOT_REPLICATED` when it did not */
export async function untilRead(state: RunState, token: string, value: string): Promise<number> {
  const started = performance.now();
  for (;;) {
    try {
      if ((await revealIn(state, token)) === value) return Math.round(performance.now() - started);
      throw new Error('expected the value that was tokenized');
    } catch (error) {
      if (!isMissing(error) || performance.now() - started > ARRIVES_WITHIN_MS) throw error;
      await sleep(20);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof TokenmeshError && MISSING.has(error.code);
}

const MISSING: ReadonlySet<string> = new Set(['ERR_TOKEN_NOT_REPLICATED', 'ERR_TOKEN_UNKNOWN']);

/** How often the KMS of each region was asked to decrypt. */
export async function decryptsIn({ aws }: RunState): Promise<Record<string, number>> {
  const { regions, kmsCalls } = await readRegions(aws.endpointUrl);
  return Object.fromEntries(regions.map((region) => [region, kmsCalls[region]?.['Decrypt'] ?? 0]));
}
