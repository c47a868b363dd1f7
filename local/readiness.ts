import { setTimeout as sleep } from 'node:timers/promises';
import { TokenmeshError } from '../errors/error.ts';
import { sidecarStatus } from '../operator/facts/agent.ts';
import { callThrough } from '../operator/facts/through-egress.ts';
import type { Layout, NodeLayout } from './layout.ts';

const DEADLINE_MS = 60_000;

/**
 * Waits until every certificate is served, as a handshake shows, and every app says that it is ready.
 *
 * @throws {TokenmeshError} `ERR_NOT_READY`, naming the nodes and what each lacks.
 */
export async function untilReady(
  layout: Layout,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let waiting = [...layout.nodes];
  while (waiting.length > 0) {
    signal.throwIfAborted();
    const ready = await Promise.all(waiting.map(isReady));
    waiting = waiting.filter((_, index) => ready[index] !== true);
    if (waiting.length === 0) return;
    progress(`waiting for ${waiting.map((node) => node.name).join(', ')}`);
    if (Date.now() > deadline) throw await notReady(waiting, layout.directory);
    await sleep(50);
  }
}

/** Every certificate of it is served, and its app says that it is ready. */
export async function isReady(node: Pick<NodeLayout, 'agentSocket' | 'appSocket'>): Promise<boolean> {
  const sidecar = await sidecarStatus(node.agentSocket);
  if (sidecar?.ready !== true) return false;
  if (node.appSocket === undefined) return true;
  return (await callThrough(node.appSocket, 'http://app/readyz', 'GET'))?.status === 200;
}

async function notReady(nodes: readonly NodeLayout[], directory: string): Promise<TokenmeshError> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const sidecar = await sidecarStatus(node.agentSocket);
      const problems =
        sidecar?.certificates.flatMap((each) => each.problems.map((problem) => problem.message)) ?? [];
      return `${node.name} (${problems.length > 0 ? problems.join('; ') : 'no answer yet'})`;
    }),
  );
  return new TokenmeshError({
    code: 'ERR_NOT_READY',
    message: `the mesh is not ready: expected every node within ${DEADLINE_MS / 1000} s, waiting for ${found.join(', ')}`,
    remedy: `see the logs in ${directory} while it is there`,
  });
}
