import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { TokenmeshError, type ErrorCode } from '../errors/error.ts';
import { identityFiles } from './identities.ts';
import { nodeState, type RunState } from './run-state.ts';

/** Longer than the mesh gives a request, whose own answer says more. */
const CALL_DEADLINE_MS = 35_000;

/**
 * Calls the tokenizer over mutual TLS as one of the sample identities.
 *
 * @throws {TokenmeshError} with the code and the remedy of the tokenizer's own problem document.
 */
export async function callTokenizer(
  state: RunState,
  as: string,
  path: string,
  body: unknown,
): Promise<unknown> {
  const caller = nodeState(state, as);
  const tokenizer = nodeState(state, 'tokenizer');
  const files = identityFiles(state, caller.name, 'client');
  const dispatcher = new Agent({
    connect: {
      cert: await readFile(files.chain, 'utf8'),
      key: await readFile(files.key, 'utf8'),
      ca: await readFile(files.trust, 'utf8'),
      servername: tokenizer.identity,
    },
  });
  try {
    const { host, port } = tokenizer.listener;
    const answer = await request(`https://${host}:${port}${path}`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      headersTimeout: CALL_DEADLINE_MS,
      bodyTimeout: CALL_DEADLINE_MS,
    });
    const document: unknown = await answer.body.json().catch(() => undefined);
    if (answer.statusCode >= 400) throw refused(answer.statusCode, document);
    return document;
  } finally {
    await dispatcher.close();
  }
}

function refused(status: number, document: unknown): TokenmeshError {
  const facts = (document ?? {}) as Partial<Record<string, string>>;
  return new TokenmeshError({
    code: (facts['code'] ?? 'ERR_TOKENIZER') as ErrorCode,
    message: `the tokenizer answered ${status}: ${facts['detail'] ?? facts['title'] ?? 'no reason given'}`,
    remedy: facts['remedy'] ?? 'see the log of the tokenizer',
  });
}

/** What stands on standard input, without the line's end. */
export async function readStandardInput(): Promise<string> {
  const text = decode(await readStandardInputBytes()).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new TokenmeshError({
    code: 'ERR_INPUT_EMPTY',
    message: 'standard input is empty: expected the value on it',
    remedy: 'pipe the value in; it is not taken as an argument, which other users of this machine could read',
  });
}

/** What stands on standard input, as it is. */
export async function readStandardInputBytes(): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write('reading standard input until Ctrl-D ...\n');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TokenmeshError({
      code: 'ERR_INPUT_NOT_TEXT',
      message: 'standard input is not text: expected UTF-8',
      remedy: 'convert it first: what cannot be read as text would not come back as it was',
      cause,
    });
  }
}
