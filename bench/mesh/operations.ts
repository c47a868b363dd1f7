/**
 * What is sent: the four operations that are measured, and their bodies.
 *
 * @module
 */

import { madeCardNumber } from './made-cards.ts';

export const BATCH_ITEMS = 100;

export type OperationName = 'tokenize-one' | 'detokenize-one' | 'tokenize-batch-100' | 'detokenize-batch-100';

export interface Operation {
  readonly name: OperationName;
  readonly path: string;
  /** Through whose Envoy it is sent: who may do it. */
  readonly caller: 'order' | 'paybill';
  readonly items: number;
  /** @param token - Gives a token that is known, or one that is not. */
  readonly body: (token: () => string) => object;
}

const tokenizeItem = (): object => ({ fields: { card: { class: 'pan', value: madeCardNumber() } } });

function manyOf(item: () => object): object {
  return { items: Array.from({ length: BATCH_ITEMS }, item) };
}

export const OPERATIONS: readonly Operation[] = [
  { name: 'tokenize-one', path: '/v1/tokens', caller: 'order', items: 1, body: tokenizeItem },
  {
    name: 'detokenize-one',
    path: '/v1/detokenize',
    caller: 'paybill',
    items: 1,
    body: (token) => ({ token: token() }),
  },
  {
    name: 'tokenize-batch-100',
    path: '/v1/tokens/batch',
    caller: 'order',
    items: BATCH_ITEMS,
    body: () => manyOf(tokenizeItem),
  },
  {
    name: 'detokenize-batch-100',
    path: '/v1/detokenize/batch',
    caller: 'paybill',
    items: BATCH_ITEMS,
    body: (token) => manyOf(() => ({ token: token() })),
  },
];

export function operationOf(name: OperationName): Operation {
  const found = OPERATIONS.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no operation "${name}"`);
  return found;
}
