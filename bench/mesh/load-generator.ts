import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';
import type { LoadOrder, LoadResult } from './generator.ts';
import type { Group } from './workplace.ts';

const START_DEADLINE_MS = 10_000;

export interface LoadGenerator {
  readonly pid: number;
  /** Resolves once every request was answered, however long that takes. */
  run(order: LoadOrder): Promise<LoadResult>;
}

export async function startGenerator({ directory, processes }: Group): Promise<LoadGenerator> {
  const socketPath = join(directory, 'generator.sock');
  const pid = processes.start({
    name: 'the load generator',
    command: process.execPath,
    arguments: [join(import.meta.dirname, 'generator.ts')],
    environment: { GENERATOR_SOCKET: socketPath },
  });
  const dispatcher = new Agent({ connect: { socketPath }, headersTimeout: 0, bodyTimeout: 0 });
  await untilListening(dispatcher);
  return {
    pid,
    async run(order) {
      const answer = await request('http://generator/', {
        dispatcher,
        method: 'POST',
        body: JSON.stringify(order),
      });
      if (answer.statusCode === 200) return (await answer.body.json()) as LoadResult;
      throw notSent(await answer.body.text());
    },
  };
}

async function untilListening(dispatcher: Dispatcher): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadline) {
    const isThere = await request('http://generator/', { dispatcher, method: 'POST', body: 'none' }).then(
      async ({ body }) => (await body.dump(), true),
      () => false,
    );
    if (isThere) return;
    await sleep(20);
  }
  throw notSent(`no answer within ${START_DEADLINE_MS / 1_000} s`);
}

function notSent(got: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_BENCH_LOAD',
    message: `the load generator did not send the load: ${got}`,
    remedy: 'run the bench again; where it goes on, run it with fewer connections',
  });
}
