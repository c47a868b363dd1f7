import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TokenmeshError } from '../../errors/error.ts';
import type { Lane } from './lanes.ts';

export interface LaneSamples {
  readonly name: string;
  /** When each request was sent: milliseconds since 1970. */
  readonly at: number[];
  /** How long it took, in the same order. */
  readonly ms: number[];
  readonly failures: { readonly at: number; readonly what: string }[];
  /** Not sent when their time had come, since too many were waiting for their answers. */
  heldBack: number;
}

export type ToLoad = { readonly kind: 'start'; readonly lanes: readonly Lane[] } | { readonly kind: 'stop' };
export type FromLoad =
  | { readonly kind: 'started' }
  | { readonly kind: 'ended'; readonly lanes: readonly LaneSamples[] };

export interface CertificateLoad {
  /** Waits for what is under way. @throws {TokenmeshError} `ERR_BENCH_LOAD` */
  stop(): Promise<readonly LaneSamples[]>;
  /** For the end of a run that did not get as far. */
  kill(): void;
}

export async function startCertificateLoad(lanes: readonly Lane[]): Promise<CertificateLoad> {
  const child = fork(join(import.meta.dirname, 'load-process.ts'), { serialization: 'advanced' });
  const send = (message: ToLoad): void => void child.send(message);
  send({ kind: 'start', lanes });
  await next(child, 'started');
  return {
    async stop() {
      send({ kind: 'stop' });
      const { lanes: samples } = await next(child, 'ended');
      child.disconnect();
      return samples;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

async function next<Kind extends FromLoad['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<FromLoad, { kind: Kind }>> {
  const ended = new AbortController();
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      once(child, 'exit', { signal: ended.signal }).then(() => []),
    ])) as [FromLoad?];
    if (message?.kind === kind) return message as Extract<FromLoad, { kind: Kind }>;
  } finally {
    ended.abort();
  }
  throw new TokenmeshError({
    code: 'ERR_BENCH_LOAD',
    message: `the load of the bench ended by itself: expected it to say "${kind}"`,
    remedy: 'run the bench again',
  });
}
