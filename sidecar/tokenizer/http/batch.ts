import type { TSchema } from '@sinclair/typebox';
import type { FastifyError, FastifyRequest } from 'fastify';
import { problem, type Problem } from '../../../errors/problem.ts';
import { invalidRequest } from '../../../runtime/http-server.ts';
import { checkItemCount } from '../core/items.ts';
import type { ItemResult } from '../core/vault.ts';
import { itemProblem } from './answers.ts';

/** An item of a batch: what it asks for, or why it is not a request at all. */
export type BatchItem<Body> = { readonly body: Body } | { readonly error: Problem };

/**
 * The items of a batch, each judged on its own.
 *
 * The route's own validation ran over the whole body and left its verdict on
 * the request (`attachValidation`): where that is clean, every item is. Else
 * each is judged by the same schema, so that one bad item does not refuse the rest.
 *
 * @throws {TokenmeshError} `ERR_TOO_MANY_ITEMS`; and the verdict itself where the fault is not an item's.
 */
export function batchItems<Body>(request: FastifyRequest, schema: TSchema): BatchItem<Body>[] {
  const verdict = request.validationError;
  const items = itemsOf(request.body);
  if (items !== undefined) checkItemCount(items.length);
  if (verdict === undefined) return (items ?? []).map((item) => ({ body: item as Body }));
  if (items === undefined || items.length === 0 || !isAboutItems(verdict)) throw verdict;
  const isValid = request.compileValidationSchema(schema, 'body');
  return items.map((item, index) => {
    if (isValid(item)) return { body: item as Body };
    return { error: invalidItem(index, isValid.errors ?? []) };
  });
}

type Faults = NonNullable<FastifyError['validation']>;

/** As the same fault is told of a request of its own, with the place of the item. */
function invalidItem(index: number, faults: readonly object[]): Problem {
  const validation = (faults as Faults).map((fault) => ({
    ...fault,
    instancePath: `/items/${index}${fault.instancePath}`,
  }));
  return problem(invalidRequest({ validation }));
}

/** One result for each item, in the order of the request. */
export function batchResults<Body, Result>(
  items: readonly BatchItem<Body>[],
  results: readonly ItemResult<Result>[],
  answerOf: (result: Result) => object,
): object[] {
  const done = results.values();
  return items.map((item) => {
    if ('error' in item) return { error: item.error };
    const outcome = done.next().value;
    if (outcome === undefined) throw new Error('expected one result for each item that was valid');
    return 'error' in outcome ? { error: itemProblem(outcome.error) } : answerOf(outcome.result);
  });
}

export function bodiesOf<Body>(items: readonly BatchItem<Body>[]): Body[] {
  return items.flatMap((item) => ('body' in item ? [item.body] : []));
}

function itemsOf(body: unknown): readonly unknown[] | undefined {
  if (typeof body !== 'object' || body === null || !('items' in body)) return undefined;
  return Array.isArray(body.items) ? (body.items as unknown[]) : undefined;
}

/** ajv stops at the first fault, and looks at the properties of the body before the items in it. */
function isAboutItems(verdict: NonNullable<FastifyRequest['validationError']>): boolean {
  return (verdict.validation as Faults).every(({ instancePath }) => instancePath.startsWith('/items/'));
}
