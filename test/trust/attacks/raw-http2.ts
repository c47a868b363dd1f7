/**
 * HTTP/2 by the frame (RFC 9113 section 4.1): what `node:http2` would refuse to send.
 *
 * @module
 */

import type { TLSSocket } from 'node:tls';
import { connectWith, shownBy, type MeshTarget } from './member.ts';
import type { Attempt } from './attack.ts';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};
const END_STREAM = 1;
const END_HEADERS = 4;

const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
].concat([
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
]);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const QUIET_MS = 700;
const DEADLINE_MS = 15_000;

export type Header = readonly [name: string, value: string];

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields that nobody indexes (RFC 7541 section 6.2.3). */
export function fields(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0x10), text(name), text(value)]));
}

/** RFC 7541 sections 5.1 and 5.2, with no Huffman code. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const prefix: number[] = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) prefix.push((rest % 128) + 128);
    prefix.push(rest);
  }
  return Buffer.concat([Buffer.from(prefix), bytes]);
}

export const REVEAL: readonly Header[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'tokenizer'],
  [':path', '/v1/detokenize'],
];

/** The health of the tokenizer, which every member may ask for. */
export const HEALTH: readonly Header[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'tokenizer'],
  [':path', '/healthz'],
];

export function headers(stream: number, list: readonly Header[], ends = true): Buffer {
  return frame(FRAME.headers, END_HEADERS + (ends ? END_STREAM : 0), stream, fields(list));
}

/** Sends frames after the preface, over a connection of order's, and names what came back. */
export function framesOfOrder(make: (target: MeshTarget) => Buffer | readonly Buffer[]): Attempt<MeshTarget> {
  return async (target) => {
    const socket = await connectWith(target.state, shownBy(target.state, 'order'), 'h2');
    return await answersTo(socket, [PREFACE, frame(FRAME.settings, 0, 0), ...[make(target)].flat()]);
  };
}

/** Whether any request of it was answered at all; resets and the end of the connection are none. */
export function unanswered(attempt: Attempt<MeshTarget>): Attempt<MeshTarget> {
  return async (target) => {
    const outcome = await attempt(target);
    return /\b(?:200|ERR_\w+)\b/.test(outcome) ? outcome : 'not answered';
  };
}

/** @returns Each answer, reset and the end of the connection, each once, in the order of the first. */
async function answersTo(socket: TLSSocket, sent: readonly Buffer[]): Promise<string> {
  let received = Buffer.alloc(0);
  let isEnded = false;
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(resolve, DEADLINE_MS);
    socket.setTimeout(QUIET_MS, resolve);
    socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(deadline);
      isEnded = true;
      resolve();
    });
    socket.write(Buffer.concat(sent));
  });
  socket.destroy();
  const seen = framesIn(received).flatMap(nameOfFrame);
  return [...new Set([...seen, ...(isEnded ? ['ended'] : [])])].join(', ') || 'no answer';
}

interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

function framesIn(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    found.push({ type: bytes.readUInt8(at + 3), payload: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return found;
}

/** Our refusals have their status in the body, which is not compressed; of 200 there is an index (RFC 7541, appendix A). */
function nameOfFrame({ type, payload }: Frame): string[] {
  if (type === FRAME.reset) return [`stream reset: ${ERRORS[payload.readUInt32BE(0)]}`];
  if (type === FRAME.goaway) return [`connection refused: ${ERRORS[payload.readUInt32BE(4)]}`];
  if (type === FRAME.headers && payload.at(0) === 0x88) return ['200'];
  if (type !== FRAME.data) return [];
  const problem = /"code":"(ERR_\w+)"/.exec(payload.toString('latin1'))?.[1];
  const status = /"status":(\d{3})/.exec(payload.toString('latin1'))?.[1];
  return problem === undefined ? [] : [`${status} ${problem}`];
}
