/**
 * `mesh edges`: who talks to whom, over what, and how much.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { InvalidArgumentError, type Command } from 'commander';
import type { Mesh } from '../mesh/definition.ts';
import { edgeTraffic, type EdgeCounters, type EdgeTraffic } from './facts/edge-traffic.ts';
import type { RunState } from './run-state.ts';
import { EXIT_NOT_HELD } from './exit-codes.ts';

const DEFAULT_SECONDS = 2;

/** An edge with what went over it between two looks. */
export interface LiveEdge extends EdgeTraffic {
  /** Undefined until there were two looks, or where one of them got no answer. */
  readonly requestsPerSecond: number | undefined;
  /** Answered 5xx, or not connected: now, and not some time before. */
  readonly failuresPerSecond: number | undefined;
}

export interface EdgesCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

export function addEdgesCommand(program: Command, { mesh, runningMesh, print }: EdgesCommandParts): void {
  program
    .command('edges')
    .description('who talks to whom over what: mode, requests, handshakes, failures')
    .option('--seconds <seconds>', 'how long requests are counted', secondsOf, DEFAULT_SECONDS)
    .option('--json', 'print one JSON document')
    .addHelpText('after', ON_AWS)
    .action(async ({ seconds, json }: { seconds: number; json?: boolean }) => {
      const state = runningMesh();
      const before = await edgeTraffic(mesh, state);
      const started = performance.now();
      if (json !== true) process.stderr.write(`counting for ${seconds} s ...\n`);
      await sleep(seconds * 1000);
      const after = await edgeTraffic(mesh, state);
      const edges = withRates(before, after, (performance.now() - started) / 1000);
      print(json === true ? JSON.stringify(edges, null, 2) : edgesReport(edges));
      if (edges.some(({ counted }) => counted === undefined)) process.exitCode = EXIT_NOT_HELD;
    });
}

const ON_AWS = `
It reads the admin interface of every Envoy. On AWS that is a Unix socket inside the task, which nothing
outside reaches: ask it there, by ECS Exec, or look at what the sidecars send as metrics.`;

/** @param seconds - Between the two. */
export function withRates(
  before: readonly EdgeTraffic[],
  after: readonly EdgeTraffic[],
  seconds: number,
): LiveEdge[] {
  return after.map((edge) => {
    const then = before.find(({ from, to }) => from === edge.from && to === edge.to)?.counted;
    const now = edge.counted;
    // Fewer than before: its Envoy has been started again in between.
    const isComparable = now !== undefined && then !== undefined && now.requests >= then.requests;
    if (!isComparable) return { ...edge, requestsPerSecond: undefined, failuresPerSecond: undefined };
    return {
      ...edge,
      requestsPerSecond: (now.requests - then.requests) / seconds,
      failuresPerSecond: (failuresIn(now) - failuresIn(then)) / seconds,
    };
  });
}

function failuresIn({ failed, connectionsFailed }: EdgeCounters): number {
  return failed + connectionsFailed;
}

export function edgesReport(edges: readonly LiveEdge[]): string {
  const table = new Table({
    head: [
      'edge',
      'mode',
      'TLS',
      'req/s',
      'requests',
      '403',
      '5xx',
      'handshakes',
      'failed',
      'at the listener',
    ],
    style: { head: [], border: [] },
  });
  for (const { from, to, mode, counted, listener, requestsPerSecond } of edges) {
    const cells =
      counted === undefined
        ? ['', 'its Envoy does not answer', '', '', '', '', '']
        : [
            counted.tls.join(', ').replaceAll('TLSv', ''),
            requestsPerSecond === undefined ? '-' : requestsPerSecond.toFixed(1),
            counted.requests,
            counted.denied,
            counted.failed,
            counted.handshakes,
            counted.handshakesFailed + counted.connectionsFailed,
          ];
    table.push([`${from} -> ${to}`, mode, ...cells, listenerCell(listener)]);
  }
  return table.toString();
}

/** Over all callers of the listener: no counter of Envoy's parts them. */
function listenerCell(listener: EdgeTraffic['listener']): string {
  if (listener === undefined) return '-';
  const { handshakes, noCertificate, refused, denied } = listener;
  return `${handshakes} handshakes, ${noCertificate} without a certificate, ${refused} refused, ${denied} denied`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 3_600) return seconds;
  throw new InvalidArgumentError('expected seconds from 0.1 to 3600');
}
