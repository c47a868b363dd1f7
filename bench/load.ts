/**
 * `npm run bench -- load`: a load of known and unknown tokens against the mesh that `npm start` runs, through
 * paybill's Envoy. Unknown ones are well-formed, so that the vault has to look.
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { describeError, TokenmeshError } from '../errors/error.ts';
import { nodeState, readRunState, runStateFile } from '../operator/run-state.ts';
import { mintToken, TOKEN_RANDOM_BYTES } from '../sidecar/tokenizer/core/token.ts';
import type { LoadOrder, LoadResult } from './mesh/generator.ts';
import { startGenerator } from './mesh/load-generator.ts';
import { operationOf } from './mesh/operations.ts';
import { amountFor } from './mesh/rounds.ts';
import { stopWithSignals } from '../local/signals.ts';
import { Workplace } from './mesh/workplace.ts';

export const TOKEN_CHOICES = ['known', 'unknown', 'mixed'] as const;

export interface LoadCommand {
  readonly tokens: (typeof TOKEN_CHOICES)[number];
  readonly connections: number;
  readonly seconds: number;
  /** Of a tokenizer, in place of the running mesh. */
  readonly url?: string;
}

/** Where it is sent: through the Envoy of each caller, or to one address. */
interface Place {
  readonly url: string;
  readonly orderSocket?: string;
  readonly paybillSocket?: string;
}

const KNOWN_BATCHES = 2;
const UNKNOWN_TOKENS = 200;

/** How many requests show what rate a place can take. */
const FIRST_REQUESTS = 4;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns The exit code: 1 where a token was answered otherwise than it should be. */
export async function runLoad(command: LoadCommand): Promise<number> {
  const workplace = new Workplace();
  process.on('exit', () => workplace.kill());
  const stopped = stopWithSignals();
  const working = load(workplace, command);
  working.catch(() => {});
  try {
    return await Promise.race([working, stopped.exitCode, workplace.failed]);
  } catch (error) {
    process.stderr.write(`npm run bench: ${describeError(error)}\n`);
    return 1;
  } finally {
    await workplace.stop();
  }
}

async function load(workplace: Workplace, command: LoadCommand): Promise<number> {
  const place = placeOf(command);
  const known = command.tokens === 'unknown' ? [] : await makeKnown(place);
  const unknown = command.tokens === 'known' ? [] : makeUnknown();
  const generator = await startGenerator(workplace.group('generator'));
  const { connections, seconds } = command;
  const order: LoadOrder = {
    ...{ operation: 'detokenize-one', url: place.url, connections },
    amount: connections * FIRST_REQUESTS,
    tokens: known.length === 0 || unknown.length === 0 ? [...known, ...unknown] : interleaved(known, unknown),
    ...(place.paybillSocket === undefined ? {} : { socketPath: place.paybillSocket }),
  };
  const first = await generator.run(order);
  const rate = first.requests / first.seconds;
  return report(command, await generator.run({ ...order, amount: amountFor(rate, seconds, connections) }));
}

function placeOf({ url }: LoadCommand): Place {
  if (url !== undefined) return { url };
  const state = readRunState(runStateFile(process.env));
  return {
    url: 'http://tokenizer',
    orderSocket: nodeState(state, 'order').egressSocket,
    paybillSocket: nodeState(state, 'paybill').egressSocket,
  };
}

async function makeKnown({ url, orderSocket }: Place): Promise<string[]> {
  const dispatcher = new Agent(orderSocket === undefined ? {} : { connect: { socketPath: orderSocket } });
  const operation = operationOf('tokenize-batch-100');
  const tokens: string[] = [];
  for (let batch = 0; batch < KNOWN_BATCHES; batch += 1) {
    const answer = await request(url + operation.path, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation.body(() => '')),
    });
    const { results = [] } = (await answer.body.json()) as { results?: { token?: string }[] };
    tokens.push(...results.flatMap(({ token }) => token ?? []));
  }
  await dispatcher.close();
  if (tokens.length > 0) return tokens;
  throw new TokenmeshError({
    code: 'ERR_BENCH_ANSWERS',
    message: 'no tokens could be made for the load: expected the tokenizer to answer a batch',
    remedy: 'see whether the tokenizer is ready: npm run mesh -- status',
  });
}

/** No store has them: of 128 random bits, none is drawn twice. */
function makeUnknown(): string[] {
  return Array.from({ length: UNKNOWN_TOKENS }, () => mintToken(randomBytes(TOKEN_RANDOM_BYTES)));
}

function interleaved(known: readonly string[], unknown: readonly string[]): string[] {
  return known.flatMap((token, index) => [token, unknown[index % unknown.length] ?? token]);
}

function report({ tokens, connections }: LoadCommand, result: LoadResult): number {
  const { requests, seconds, errors, statuses } = result;
  const rate = Math.round(requests / seconds);
  print(
    `${requests} requests in ${seconds.toFixed(1)} s at ${connections} connections: ${rate} a second, ${errors} connection errors`,
  );
  for (const [status, { count, p50Ms, p99Ms }] of Object.entries(statuses)) {
    print(`${status}: ${count} answers, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`);
  }
  const [found, missing] = [statuses['200'], statuses['404']];
  if (found !== undefined && missing !== undefined) {
    print(
      `an unknown token takes ${(missing.p50Ms / found.p50Ms).toFixed(2)} times as long as a known one (p50)`,
    );
  }
  if (isAsExpected(tokens, requests, connections, statuses) && errors === 0) return 0;
  print('not as expected: 200 for each known token, 404 for each unknown one, and nothing else');
  return 1;
}

/** Of mixed tokens each connection asks for a known and an unknown one in turn, and may end after either. */
function isAsExpected(
  tokens: LoadCommand['tokens'],
  requests: number,
  connections: number,
  { 200: found, 404: missing }: LoadResult['statuses'],
): boolean {
  const [known, unknown] = [found?.count ?? 0, missing?.count ?? 0];
  if (known + unknown !== requests) return false;
  if (tokens === 'mixed') return Math.abs(known - unknown) <= connections;
  return (tokens === 'known' ? known : unknown) === requests;
}
