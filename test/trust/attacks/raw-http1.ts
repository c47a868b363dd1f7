import { shownBy, connectWith, type MeshTarget } from './member.ts';
import type { Attempt } from './attack.ts';
import type { Shown } from './handshake.ts';

/** Silence after the last byte that counts as the end of all answers. */
const QUIET_MS = 500;

/** As order would write it; what is given takes the place of, or stands beside, what a request has. */
export interface Http1 {
  readonly line?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

export const REVEAL_LINE = 'POST /v1/detokenize HTTP/1.1';

export function http1({
  line = REVEAL_LINE,
  host = 'host: tokenizer',
  headers = [],
  body = '',
}: Http1): string {
  return [line, host, 'content-type: application/json', ...headers, '', body].join('\r\n');
}

/** Sends bytes to the tokenizer's listener over a connection of order's, and names each answer. */
export function bytesOfOrder(make: (target: MeshTarget) => string): Attempt<MeshTarget> {
  return async (target) =>
    await bytesWith(target, shownBy(target.state, 'order'), Buffer.from(make(target), 'latin1'));
}

/** @returns Each answer as `<status> <code>`, or `<status>`, in order. */
export async function bytesWith(target: MeshTarget, certificate: Shown, bytes: Buffer): Promise<string> {
  const socket = await connectWith(target.state, certificate, 'http/1.1');
  let received = '';
  await new Promise<void>((resolve) => {
    socket.setTimeout(QUIET_MS, resolve);
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.write(bytes);
  });
  socket.destroy();
  return answersIn(received).join(', ') || 'no answer';
}

function answersIn(text: string): string[] {
  return text
    .split(/(?=HTTP\/1\.[01] \d{3})/)
    .filter((part) => part !== '')
    .map((part) => {
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(part)?.[1] ?? 'bytes that are no answer';
      const code = /"code":"(ERR_\w+)"/.exec(part)?.[1];
      return code === undefined ? status : `${status} ${code}`;
    });
}
