import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type WireItem = Readonly<Record<string, { readonly S?: string }>>;

/** What a call is answered with, in place of what it asked for. */
export type Fault =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  /** Served or not, nothing comes back: the connection ends, or stays. */
  | { readonly isServed: boolean; readonly ending: 'reset' | 'hang' }
  /** Every second entry of a batch is left out. */
  | 'half';

export interface StubCall {
  readonly operation: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The entries of a batch; 1 for every other call. */
  readonly entries: number;
}

export interface StubDynamodb {
  readonly endpoint: string;
  readonly calls: StubCall[];
  /** Judges each call as it comes. */
  fault: (call: StubCall) => Fault | undefined;
  close(): Promise<void>;
}

interface Asked {
  readonly Item?: WireItem;
  readonly Key?: WireItem;
  readonly ConditionExpression?: string;
  readonly RequestItems?: Readonly<
    Record<string, readonly { readonly PutRequest: { readonly Item: WireItem } }[] & { Keys?: WireItem[] }>
  >;
}

/** @param date - By DynamoDB's clock. */
export function refusalOf(name: string, status = 400, date?: Date): Fault {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'what was sent' }),
    ...(date === undefined ? {} : { headers: { date: date.toUTCString() } }),
  };
}

/** A table over HTTP that can be told to fail: what an emulator never does. It judges no signature. */
export async function startStubDynamodb(): Promise<StubDynamodb> {
  const items = new Map<string, WireItem>();
  const stub = { calls: [] as StubCall[], fault: (): Fault | undefined => undefined };
  const server = createServer((request, response) => void answer(stub, items, request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(stub, {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  });
}

async function answer(
  stub: Pick<StubDynamodb, 'calls' | 'fault'>,
  items: Map<string, WireItem>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request);
  const asked = JSON.parse(body) as Asked;
  const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
  const call = { operation, headers: request.headers, body, entries: entriesIn(asked) };
  stub.calls.push(call);
  const fault = stub.fault(call);
  if (fault !== undefined && fault !== 'half' && 'status' in fault) {
    response.writeHead(fault.status, fault.headers).end(fault.body);
    return;
  }
  const isServed = fault === undefined || fault === 'half' || fault.isServed;
  const done = isServed ? serve(items, operation, asked, fault === 'half') : {};
  if (fault !== undefined && fault !== 'half') {
    if (fault.ending === 'reset') request.socket.resetAndDestroy();
    return;
  }
  if ('refusal' in done) response.writeHead(400).end(JSON.stringify({ __type: done.refusal }));
  else response.writeHead(200).end(JSON.stringify(done));
}

function entriesIn({ RequestItems }: Asked): number {
  const [asked] = Object.values(RequestItems ?? {});
  return asked?.Keys?.length ?? asked?.length ?? 1;
}

function serve(items: Map<string, WireItem>, operation: string, asked: Asked, isHalf: boolean): object {
  const [table = '', entries] = Object.entries(asked.RequestItems ?? {})[0] ?? [];
  const isDone = (_: unknown, index: number): boolean => !isHalf || index % 2 === 0;
  const isLeft = (_: unknown, index: number): boolean => isHalf && index % 2 === 1;
  switch (operation) {
    case 'PutItem':
      return put(items, asked);
    case 'GetItem':
      return { Item: items.get(idOf(asked.Key ?? {})) };
    case 'BatchWriteItem': {
      const puts = [...(entries ?? [])];
      for (const { PutRequest } of puts.filter(isDone)) items.set(idOf(PutRequest.Item), PutRequest.Item);
      return { UnprocessedItems: { [table]: puts.filter(isLeft) } };
    }
    default: {
      const keys = entries?.Keys ?? [];
      const found = keys.filter(isDone).flatMap((key) => items.get(idOf(key)) ?? []);
      return { Responses: { [table]: found }, UnprocessedKeys: { [table]: { Keys: keys.filter(isLeft) } } };
    }
  }
}

function put(items: Map<string, WireItem>, { Item = {}, ConditionExpression }: Asked): object {
  const id = idOf(Item);
  if (ConditionExpression !== undefined && items.has(id)) {
    return { refusal: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException' };
  }
  items.set(id, Item);
  return {};
}

function idOf(item: WireItem): string {
  return `${item['pk']?.S} ${item['sk']?.S}`;
}
