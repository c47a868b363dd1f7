/**
 * The baseline `mesh-floor`: an app that reads a request and answers with a constant of the same size as the
 * tokenizer's answer. What is left is the mesh itself.
 *
 * @module
 */

import { chmod, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { stopOnSignal } from '../runtime/lifecycle.ts';

/** By path: what the tokenizer answered to a request of the kind. */
export type FloorAnswers = Readonly<Record<string, { readonly status: number; readonly body: string }>>;

const socketPath = process.env['TOKENMESH_APP_SOCKET'] ?? '';
const answers = JSON.parse(readFileSync(process.env['FLOOR_ANSWERS'] ?? '', 'utf8')) as FloorAnswers;

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    const { status, body } = answers[request.url ?? ''] ?? { status: 200, body: '{}' };
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});

/** Longer than Envoy keeps an idle connection, as the tokenizer's own server does. */
server.keepAliveTimeout = 72_000;
stopOnSignal(async () => {
  server.close();
  server.closeIdleConnections();
});
await rm(socketPath, { force: true });
await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
await chmod(socketPath, 0o600);
