/** Callers that take what others need: connections, time, memory, the attention of the tokenizer, file descriptors. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { request } from 'undici';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { LATE, type Outage } from './outage.ts';
import type { OwnMesh } from './own-mesh.ts';

const CONNECTIONS = 10_000;
const AT_ONCE = 500;
const SLOW_BODIES = 50;
const HUGE_HEADERS = 40;
const FLOOD_WORKERS = 8;
const QUIET_CALLS = 20;

export const OVERLOAD_FAULTS: Readonly<Record<string, Outage>> = {
  'silent-connections': {
    title: `${CONNECTIONS} connections to the tokenizer's listener that say nothing`,
    // Longer than Envoy gives a handshake.
    seconds: 7,
    async begin(mesh, say) {
      const sockets = await openSilent(mesh);
      return () => {
        const closed = sockets.filter((socket) => socket.destroyed).length;
        for (const socket of sockets) socket.destroy();
        say(`  connections       ${sockets.length} opened, ${closed} of them closed by Envoy meanwhile`);
        return closed;
      };
    },
    mayGet: LATE,
  },
  'slow-bodies': {
    title: `${SLOW_BODIES} requests that send one byte of their body in a second`,
    seconds: 6,
    async begin(mesh) {
      const sockets = await Promise.all(Array.from({ length: SLOW_BODIES }, () => sendSlowly(mesh)));
      return () => {
        for (const socket of sockets) socket.destroy();
        return sockets.length;
      };
    },
    mayGet: LATE,
  },
  'huge-headers': {
    title: `${HUGE_HEADERS} requests with a megabyte of headers, or with a thousand of them`,
    seconds: 1,
    async begin(mesh, say) {
      const statuses = await sendHugeHeaders(mesh);
      say(`  those got         ${[...new Set(statuses)].join(', ')}`);
      return () => statuses.filter((status) => status === 400 || status === 431 || status === 0).length;
    },
    mayGet: LATE,
  },
  flood: {
    title: `order asks on ${FLOOD_WORKERS} connections without a pause, and paybill opens a token now and then`,
    seconds: 1,
    async begin(mesh, say) {
      const { refused, before, during } = await flood(mesh);
      say(`  paybill's median  ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms beside the flood`);
      return () => refused;
    },
    mayGet: LATE,
  },
  'descriptors-of-the-app': {
    title: 'the tokenizer has no file descriptor left, and has lost its connections to AWS',
    seconds: 4,
    async begin(mesh) {
      const lift = await exhaustDescriptors(mesh.runner.pidsOf('tokenizer').app ?? 0);
      mesh.faults.cut();
      return lift;
    },
    mayGet: [...LATE, '503 ERR_BACKEND_UNAVAILABLE', '504 ERR_BACKEND_TIMEOUT'],
  },
  'descriptors-of-envoy': {
    title:
      "the tokenizer's Envoy has no file descriptor left: no new connection, and those that are open go on",
    seconds: 4,
    async begin({ state }) {
      const status = await sidecarStatus(nodeState(state, 'tokenizer').agentSocket);
      return await exhaustDescriptors(status?.envoyPid ?? 0);
    },
    mayGet: [...LATE, '503 ERR_BACKEND_UNAVAILABLE', '504 ERR_BACKEND_TIMEOUT', 'no answer'],
  },
};

async function openSilent({ state }: OwnMesh): Promise<Socket[]> {
  const { listener } = nodeState(state, 'tokenizer');
  const sockets: Socket[] = [];
  while (sockets.length < CONNECTIONS) {
    const opened = Array.from({ length: AT_ONCE }, () => connect(listener.port, listener.host));
    for (const socket of opened) {
      socket.on('error', () => {});
      // Or its end is never seen.
      socket.resume();
    }
    await Promise.all(opened.map(async (socket) => await once(socket, 'connect').catch(() => {})));
    sockets.push(...opened);
  }
  return sockets;
}

/** A connection as order makes one, for HTTP/1.1. */
async function connectAsOrder({ state }: OwnMesh): Promise<TLSSocket> {
  const { listener, identity } = nodeState(state, 'tokenizer');
  const files = identityFiles(state, 'order', 'client');
  const socket = connectTls({
    ...listener,
    servername: identity,
    ALPNProtocols: ['http/1.1'],
    cert: readFileSync(files.chain),
    key: readFileSync(files.key),
    ca: readFileSync(files.trust),
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

async function sendSlowly(mesh: OwnMesh): Promise<TLSSocket> {
  const socket = await connectAsOrder(mesh);
  socket.write(
    'POST /v1/tokens HTTP/1.1\r\nhost: tokenizer\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n',
  );
  const timer = setInterval(() => socket.write(' '), 1_000);
  socket.on('close', () => clearInterval(timer));
  return socket;
}

/** @returns The status of each, 0 for a connection that was closed without one. */
async function sendHugeHeaders(mesh: OwnMesh): Promise<number[]> {
  const long = `x-long: ${'x'.repeat(1_000_000)}\r\n`;
  const many = Array.from({ length: 1_000 }, (_, index) => `x-${index}: x\r\n`).join('');
  const statuses: number[] = [];
  for (let sent = 0; sent < HUGE_HEADERS; sent += 1) {
    const socket = await connectAsOrder(mesh);
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.write(`GET /healthz HTTP/1.1\r\nhost: tokenizer\r\n${sent % 2 === 0 ? long : many}\r\n`);
    await Promise.race([once(socket, 'close'), sleep(2_000)]).catch(() => {});
    socket.destroy();
    statuses.push(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0));
  }
  return statuses;
}

/** @returns How many calls of the flood were refused with 429, and the other's median latency in milliseconds. */
async function flood(mesh: OwnMesh): Promise<{ refused: number; before: number; during: number }> {
  const dispatcher = createEgress(nodeState(mesh.state, 'order').egressSocket);
  const token = mesh.ledger.handedOut.at(-1)?.token ?? '';
  const before = await quietMedian(mesh);
  const ended = new AbortController();
  let refused = 0;
  const ask = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const { statusCode, body } = await request(`http://tokenizer/v1/tokens/${token}`, { dispatcher });
      await body.dump();
      if (statusCode === 429) refused += 1;
    }
  };
  const asking = Promise.all(Array.from({ length: FLOOD_WORKERS }, ask));
  const during = await quietMedian(mesh).finally(() => ended.abort());
  await asking;
  await dispatcher.close();
  return { refused, before, during };
}

/** @throws {Error} where one of its calls is refused or fails: a flood of another must not do that. */
async function quietMedian({ callers, ledger }: OwnMesh): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < QUIET_CALLS; call += 1) {
    const { answer, cards } = await callers.detokenizeBatch([ledger.handedOut.at(-1)?.token ?? '']);
    if (cards[0] === undefined)
      throw new Error(`expected the quiet caller to be served, got ${answer.status}`);
    took.push(answer.durationMs);
    await sleep(50);
  }
  return took.toSorted((a, b) => a - b)[QUIET_CALLS / 2] ?? 0;
}

/** Lets a process have no more files and sockets than it has now. @returns Gives it its limit back. */
async function exhaustDescriptors(pid: number): Promise<() => Promise<number>> {
  const open = readdirSync(`/proc/${pid}/fd`).length;
  const limit = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? '';
  const set = async (soft: string): Promise<unknown> =>
    await promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
  await set(String(open));
  return async () => {
    await set(limit);
    return 1;
  };
}
