/**
 * What travels in one message of the queue: some records of one load, in the order of their file.
 *
 * @module
 */

import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError } from '../errors/error.ts';

/** As `POST /v1/tokens/batch` takes it. */
export interface BulkRecord {
  readonly fields: Readonly<Record<string, { readonly class: string; readonly value: string }>>;
}

export interface Part {
  /** The load that it is of: random, and the same however often the load is taken up again. */
  readonly load: string;
  /** From 1 on, in the order of the file. */
  readonly part: number;
  /** The place of its first record among those of the load, from 1 on. */
  readonly firstRow: number;
  readonly items: readonly BulkRecord[];
}

/** As many records as make a message worth its data key, and few enough that a part is a second's work. */
export const PART_RECORDS = 100;

/** Of the records as JSON. Sealed and in base64 it is a third of what SQS has always taken: 256 KiB. */
export const PART_BYTES = 64 * 1024;

/** A load as its random id names it. */
export const LOAD_ID = /^[a-z0-9][a-z0-9-]{7,63}$/;

/** Tells a part from whatever else the customer key seals, in policies of KMS too. */
export const PURPOSE = 'tokenmesh-bulk';

/** Bound into a sealed part: what another context says does not open, so a part cannot be passed off as another. */
export interface PartContext {
  readonly purpose: typeof PURPOSE;
  readonly load: string;
  readonly part: string;
  readonly 'first-row': string;
  readonly records: string;
}

export function contextOf({ load, part, firstRow, items }: Part): PartContext {
  return {
    purpose: PURPOSE,
    load,
    part: String(part),
    'first-row': String(firstRow),
    records: String(items.length),
  };
}

const Count = Type.String({ pattern: '^[1-9][0-9]{0,8}$' });
const Context = Type.Object({
  purpose: Type.Literal(PURPOSE),
  load: Type.String({ pattern: LOAD_ID.source }),
  part: Count,
  'first-row': Count,
  records: Count,
});

const Items = Type.Array(Type.Object({ fields: Type.Object({}) }), { minItems: 1, maxItems: 1000 });
type Items = Static<typeof Items>;

/**
 * The part that an opened message holds.
 *
 * @param context - As the message authenticates it.
 * @throws {TokenmeshError} `ERR_QUEUE_MESSAGE_UNREADABLE`. The items themselves are for the tokenizer to judge.
 */
export function partOf(context: unknown, text: string): Part {
  const items = parseItems(text);
  if (!Value.Check(Context, context) || items === undefined || items.length !== Number(context.records)) {
    throw unreadable('its context or its records have another shape');
  }
  const { load, part } = context;
  return {
    load,
    part: Number(part),
    firstRow: Number(context['first-row']),
    items: items as readonly unknown[] as BulkRecord[],
  };
}

function parseItems(text: string): Items | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return Value.Check(Items, found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** One text for all that may be wrong, so that nothing is learnt by trying. */
export function unreadable(why: string, cause?: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_QUEUE_MESSAGE_UNREADABLE',
    message: `a message of the queue is not a part of a load: expected one sealed under the queue's key, but ${why}`,
    remedy:
      'see who else may send to the queue; the message goes to the dead-letter queue as it is, still sealed',
    cause,
  });
}
