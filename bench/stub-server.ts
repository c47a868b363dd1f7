/**
 * The HTTP of the stubs: AWS's JSON protocol over a socket read by hand, since `node:http` would cost the
 * bench more than all that a stub does.
 *
 * Takes what the SDK and undici send: HTTP/1.1, a content length, connections that are kept. Nothing else.
 *
 * @module
 */

import { createServer, type Server, type Socket } from 'node:net';

export interface StubAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** @param operation - What follows the dot of `x-amz-target`. */
export type StubHandler = (operation: string, body: string) => StubAnswer | Promise<StubAnswer>;

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const TARGET = /\r\nx-amz-target: *[^.\r\n]+\.(\w+)/i;

export function answerOk(body: object | string = {}): StubAnswer {
  return { status: 200, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

export function answerError(type: string, fields: object = {}): StubAnswer {
  return { status: 400, body: JSON.stringify({ __type: type, message: 'the stub refuses this', ...fields }) };
}

export function createStubServer(handle: StubHandler): Server {
  return createServer({ noDelay: true }, (socket) => serve(socket, handle));
}

/** Requests of one connection are answered in their order, one at a time. */
function serve(socket: Socket, handle: StubHandler): void {
  let pending: Buffer = Buffer.alloc(0);
  let isBusy = false;
  const answerNext = (): void => {
    while (!isBusy) {
      const found = takeRequest(pending);
      if (found === undefined) return;
      pending = found.rest;
      const answer = handle(found.operation, found.body);
      if (answer instanceof Promise) {
        isBusy = true;
        void answer.then((later) => {
          isBusy = false;
          write(socket, later);
          answerNext();
        });
      } else write(socket, answer);
    }
  };
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    answerNext();
  });
  socket.on('error', () => socket.destroy());
}

interface FoundRequest {
  readonly operation: string;
  readonly body: string;
  readonly rest: Buffer;
}

function takeRequest(bytes: Buffer): FoundRequest | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const bodyStart = headEnd + HEAD_END.length;
  const end = bodyStart + Number(LENGTH.exec(head)?.[1] ?? 0);
  if (bytes.length < end) return undefined;
  return {
    operation: TARGET.exec(head)?.[1] ?? '',
    body: bytes.toString('utf8', bodyStart, end),
    rest: bytes.subarray(end),
  };
}

function write(socket: Socket, { status, body }: StubAnswer): void {
  if (!socket.writable) return;
  socket.write(
    `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Bad Request'}\r\ncontent-type: application/x-amz-json-1.1\r\n` +
      `x-amzn-requestid: stub\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
