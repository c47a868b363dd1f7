/**
 * A stand-in for DynamoDB that answers at once, so that a bench shows the service's own limit: a process of
 * its own, in memory, with as little work for each call as can be.
 *
 * It understands what the tokenizer sends and no more; it never throttles, and it forgets the oldest items
 * of a table past {@link KEPT_ITEMS}. It counts what it is asked: `Bench.Counts`.
 *
 * @module
 */

import { stopOnSignal } from '../runtime/lifecycle.ts';
import {
  conditionHolds,
  updated,
  type Expressions,
  type WireItem,
  type WireValue,
} from './stub-conditions.ts';
import { answerError, answerOk, createStubServer, type StubAnswer } from './stub-server.ts';
import { readUnits, writeUnits } from './stub-units.ts';

/** More than any bench reads back, and little enough that a million writes leave the memory as it was. */
const KEPT_ITEMS = 50_000;

/** Billing units are worked out for one item in so many: for each, it would be half of the stub's work. */
const UNITS_SAMPLE = 16;

interface Table {
  readonly keys: readonly string[];
  readonly items: Map<string, WireItem>;
  written: number;
  /** Of these, the records of tokens: `sk` says so (docs/record-format.md). */
  records: number;
  read: number;
  writeUnits: number;
  readUnits: number;
}

interface Request extends Expressions {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Limit?: number;
  readonly Key?: WireItem;
  readonly Item?: WireItem;
  readonly KeyConditionExpression?: string;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly KeySchema?: readonly { readonly AttributeName: string }[];
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly TransactItems?: readonly { readonly Put?: Request }[];
}

interface Write {
  readonly PutRequest?: { readonly Item: WireItem };
  readonly DeleteRequest?: { readonly Key: WireItem };
}

const NOTHING = { written: 0, records: 0, read: 0, writeUnits: 0, readUnits: 0 };

const tables = new Map<string, Table>();
const calls: Record<string, number> = {};

function tableOf(name: string | undefined): Table {
  const table = tables.get(name ?? '');
  if (table === undefined) throw new RangeError('no such table');
  return table;
}

function keyOf({ keys }: Table, item: WireItem): string {
  return keys.map((name) => stringOf(item[name])).join('\0');
}

function stringOf(value: WireValue | undefined): string {
  const text = value?.['S'];
  return typeof text === 'string' ? text : '';
}

function put(table: Table, item: WireItem): void {
  if (table.written % UNITS_SAMPLE === 0) table.writeUnits += writeUnits(item) * UNITS_SAMPLE;
  table.written += 1;
  if (item['sk']?.['S'] === 'record') table.records += 1;
  table.items.set(keyOf(table, item), item);
  if (table.items.size <= KEPT_ITEMS) return;
  const [oldest] = table.items.keys();
  if (oldest !== undefined) table.items.delete(oldest);
}

function get(table: Table, key: WireItem): WireItem | undefined {
  const item = table.items.get(keyOf(table, key));
  if (table.read % UNITS_SAMPLE === 0) table.readUnits += readUnits(item) * UNITS_SAMPLE;
  table.read += 1;
  return item;
}

function refused(request: Request, item: WireItem | undefined): StubAnswer {
  const isShown = request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && item !== undefined;
  return answerError('ConditionalCheckFailedException', isShown ? { Item: item } : {});
}

/** Under the condition that the request has. */
function change(request: Request, key: WireItem, work: (table: Table, item: WireItem | undefined) => object) {
  const table = tableOf(request.TableName);
  const item = table.items.get(keyOf(table, key));
  return conditionHolds(item, request) ? answerOk(work(table, item)) : refused(request, item);
}

const OPERATIONS: Readonly<Record<string, (request: Request) => StubAnswer>> = {
  CreateTable({ TableName = '', KeySchema = [] }) {
    const keys = KeySchema.map((each) => each.AttributeName);
    tables.set(TableName, { keys, ...NOTHING, items: new Map() });
    return answerOk({ TableDescription: { TableName, TableStatus: 'ACTIVE' } });
  },
  UpdateTimeToLive: () => answerOk(),
  ListTables: () => answerOk({ TableNames: [...tables.keys()] }),
  DescribeTable: ({ TableName }) => answerOk({ Table: { TableName, TableStatus: 'ACTIVE' } }),
  PutItem: (request) =>
    change(request, request.Item ?? {}, (table) => {
      put(table, request.Item ?? {});
      return {};
    }),
  GetItem({ TableName, Key = {} }) {
    const Item = get(tableOf(TableName), Key);
    return answerOk(Item === undefined ? {} : { Item });
  },
  UpdateItem: (request) =>
    change(request, request.Key ?? {}, (table, item) => {
      const Attributes = updated({ ...item, ...request.Key }, request);
      put(table, Attributes);
      return request.ReturnValues === 'ALL_NEW' ? { Attributes } : {};
    }),
  DeleteItem: (request) =>
    change(request, request.Key ?? {}, (table, item) => {
      table.items.delete(keyOf(table, request.Key ?? {}));
      return request.ReturnValues === 'ALL_OLD' && item !== undefined ? { Attributes: item } : {};
    }),
  BatchWriteItem({ RequestItems = {} }) {
    for (const [name, writes] of Object.entries(RequestItems)) {
      const table = tableOf(name);
      for (const { PutRequest, DeleteRequest } of writes as readonly Write[]) {
        if (PutRequest !== undefined) put(table, PutRequest.Item);
        if (DeleteRequest !== undefined) table.items.delete(keyOf(table, DeleteRequest.Key));
      }
    }
    return answerOk('{"UnprocessedItems":{}}');
  },
  BatchGetItem({ RequestItems = {} }) {
    const Responses = Object.fromEntries(
      Object.entries(RequestItems).map(([name, wanted]) => {
        const table = tableOf(name);
        const { Keys } = wanted as { Keys: readonly WireItem[] };
        return [name, Keys.map((key) => get(table, key)).filter((item) => item !== undefined)];
      }),
    );
    return answerOk({ Responses, UnprocessedKeys: {} });
  },
  Query: (request) => answerOk({ Items: itemsUnder(request) }),
  TransactWriteItems({ TransactItems = [] }) {
    const puts = TransactItems.flatMap(({ Put }) => (Put === undefined ? [] : [Put]));
    const held = puts.map((each) => {
      const table = tableOf(each.TableName);
      return conditionHolds(table.items.get(keyOf(table, each.Item ?? {})), each);
    });
    if (held.includes(false)) {
      const CancellationReasons = held.map((is) => ({ Code: is ? 'None' : 'ConditionalCheckFailed' }));
      return answerError('TransactionCanceledException', { CancellationReasons });
    }
    for (const each of puts) put(tableOf(each.TableName), each.Item ?? {});
    return answerOk();
  },
};

/** Of a partition. An index has nothing: nothing that a bench stores expires. */
function itemsUnder(request: Request): WireItem[] {
  if (request.IndexName !== undefined) return [];
  const [, hash = '', range] =
    /=\s*(:\w+)(?:\s+and\s+begins_with\s*\(\s*[\w#]+\s*,\s*(:\w+)\s*\))?/i.exec(
      request.KeyConditionExpression ?? '',
    ) ?? [];
  const valueOf = (name: string): string => stringOf(request.ExpressionAttributeValues?.[name]);
  const prefix = `${valueOf(hash)}\0${range === undefined ? '' : valueOf(range)}`;
  const found = [...tableOf(request.TableName).items].filter(([key]) => key.startsWith(prefix));
  const inOrder = found.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  return inOrder.slice(0, request.Limit);
}

function counts(): StubAnswer {
  const entries = [...tables].map(([name, { items: _items, keys: _keys, ...counted }]) => [name, counted]);
  return answerOk({ calls, tables: Object.fromEntries(entries) as object });
}

function handle(operation: string, body: string): StubAnswer {
  if (operation === 'Counts') return counts();
  calls[operation] = (calls[operation] ?? 0) + 1;
  try {
    return OPERATIONS[operation]?.(JSON.parse(body) as Request) ?? answerError('UnknownOperationException');
  } catch (error) {
    const isUnknown = error instanceof RangeError;
    return answerError(isUnknown ? 'ResourceNotFoundException' : 'SerializationException');
  }
}

const server = createStubServer(handle);
stopOnSignal(async () => void server.close());
server.listen(Number(process.env['STUB_PORT']), '127.0.0.1');
