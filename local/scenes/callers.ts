/**
 * Callers of the tokenizer as the apps are: each through the Envoy of its own node, over mutual TLS.
 *
 * @module
 */

import { request, type Dispatcher } from 'undici';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import type { ItemAnswer } from './ledger.ts';

/** Of a whole call. */
export interface Answer {
  /** 0 where there was none. */
  readonly status: number;
  readonly code?: string;
  /** Says after which time to try again. */
  readonly hasRetryAfter: boolean;
  readonly durationMs: number;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface Callers {
  tokenize(card: string): Promise<{ answer: Answer; item: ItemAnswer }>;
  tokenizeBatch(cards: readonly string[]): Promise<{ answer: Answer; items: ItemAnswer[] }>;
  /** The card behind each token, undefined for one that does not open. */
  detokenizeBatch(tokens: readonly string[]): Promise<{ answer: Answer; cards: (string | undefined)[] }>;
  close(): Promise<void>;
}

export function openCallers(state: RunState): Callers {
  const [order, paybill] = ['order', 'paybill'].map((name) =>
    createEgress(nodeState(state, name).egressSocket),
  );
  if (order === undefined || paybill === undefined) throw new Error('expected two callers');
  return {
    async tokenize(card) {
      const answer = await call(order, '/v1/tokens', tokenOf(card));
      return { answer, item: itemOf(answer.status === 201 ? answer.document : { error: answer }) };
    },
    async tokenizeBatch(cards) {
      const answer = await call(order, '/v1/tokens/batch', { items: cards.map(tokenOf) });
      const results = answer.status === 200 ? (answer.document['results'] as object[]) : [];
      return { answer, items: cards.map((_, index) => itemOf(results[index] ?? { error: answer })) };
    },
    async detokenizeBatch(tokens) {
      const items = tokens.map((token) => ({ token }));
      const answer = await call(paybill, '/v1/detokenize/batch', { items });
      const results = answer.status === 200 ? (answer.document['results'] as Opened[]) : [];
      return { answer, cards: tokens.map((_, index) => cardOf(results[index])) };
    },
    async close() {
      await Promise.all([order.close(), paybill.close()]);
    },
  };
}

interface Opened {
  readonly fields?: Readonly<Record<string, { readonly value?: string }>>;
}

/** The order app has a name of its own for the field. */
function cardOf(opened: Opened | undefined): string | undefined {
  return (opened?.fields?.['card'] ?? opened?.fields?.['number'])?.value;
}

function tokenOf(card: string): object {
  return { fields: { card: { class: 'pan', value: card } } };
}

function itemOf(result: { readonly token?: unknown; readonly error?: ItemAnswer }): ItemAnswer {
  if (typeof result.token === 'string') return { token: result.token };
  const { status, code } = result.error ?? {};
  return { ...(status === undefined ? {} : { status }), ...(code === undefined ? {} : { code }) };
}

async function call(dispatcher: Dispatcher, path: string, body: object): Promise<Answer> {
  return await postTimed(dispatcher, `http://tokenizer${path}`, body);
}

export async function postTimed(
  dispatcher: Dispatcher,
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const started = performance.now();
  const took = (): number => performance.now() - started;
  try {
    const answer = await request(url, {
      dispatcher,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const document = (await answer.body.json()) as Record<string, unknown>;
    const { code } = document as { code?: string };
    return {
      status: answer.statusCode,
      ...(code === undefined ? {} : { code }),
      hasRetryAfter: answer.headers['retry-after'] !== undefined,
      durationMs: took(),
      document,
    };
  } catch {
    return { status: 0, hasRetryAfter: false, durationMs: took(), document: {} };
  }
}
