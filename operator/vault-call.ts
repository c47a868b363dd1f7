import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { TokenmeshError, type ErrorCode } from '../errors/error.ts';
import { identityFiles } from './identities.ts';
import { nodeState, type RunState } from './run-state.ts';

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
    });
    const document: unknown = await answer.body.json();
    if (answer.statusCode >= 400) throw refused(answer.statusCode, document);
    return document;
  } finally {
    await dispatcher.close();
  }
}

function refused(status: number, document: unknown): TokenmeshError {
  const facts = (typeof document === 'object' ? document : {}) as Partial<Record<string, string>>;
  return new TokenmeshError({
    code: (facts['code'] ?? 'ERR_TOKENIZER') as ErrorCode,
    message: `the tokenizer answered ${status}: ${facts['detail'] ?? facts['title'] ?? 'no reason given'}`,
    remedy: facts['remedy'] ?? 'see the log of the tokenizer',
  });
}

/** What stands on standard input, without the line's end. */
export async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('reading standard input until Ctrl-D ...\n');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new TokenmeshError({
    code: 'ERR_INPUT_EMPTY',
    message: 'standard input is empty: expected the value on it',
    remedy: 'pipe the value in; it is not taken as an argument, which other users of this machine could read',
  });
}
