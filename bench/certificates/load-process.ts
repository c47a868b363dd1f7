/**
 * Sends the lanes at their rates, in a process of its own, and tells at the end what became of each request.
 *
 * A request is sent when its time has come, whether or not those before were answered, so that a stall shows
 * as many slow ones; but never more at a time than the lane allows, or a machine that is too slow would be
 * measured by its queue: those that are held back are counted. A request has failed when it is answered
 * otherwise than it should be, or not.
 *
 * @module
 */

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent as HttpsAgent, get } from 'node:https';
import { Agent, request, type Dispatcher } from 'undici';
import type { DirectLane, EgressLane, Lane } from './lanes.ts';
import type { FromLoad, LaneSamples, ToLoad } from './load.ts';

const TICK_MS = 4;
const DEADLINE_MS = 10_000;
const FILES_EVERY_MS = 100;

interface Answer {
  readonly status: number;
  /** Of a problem document: who refused, and why. */
  readonly code?: string;
}

type Send = () => Promise<Answer>;

class RunningLane {
  readonly samples: LaneSamples;
  readonly #send: Send;
  readonly #lane: Lane;
  readonly #startedAt = performance.now();
  #sent = 0;
  #open = 0;

  constructor(lane: Lane, send: Send) {
    this.#lane = lane;
    this.#send = send;
    this.samples = { name: lane.name, at: [], ms: [], failures: [], heldBack: 0 };
  }

  get isIdle(): boolean {
    return this.#open === 0;
  }

  /** Sends what is due by now. */
  tick(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) * this.#lane.perSecond) / 1000);
    for (; this.#sent < due; this.#sent += 1) {
      if (this.#open < this.#lane.atATime) void this.#one();
      else this.samples.heldBack += 1;
    }
  }

  async #one(): Promise<void> {
    const [at, started] = [Date.now(), performance.now()];
    this.#open += 1;
    try {
      const { status, code = '' } = await this.#send();
      if (status !== this.#lane.expected)
        this.samples.failures.push({ at, what: `answered ${status} ${code}` });
    } catch (error) {
      // After how long tells a deadline from a connection that was cut.
      const afterMs = Math.round(performance.now() - started);
      this.samples.failures.push({ at, what: `${reasonOf(error)}, after ${afterMs} ms` });
    } finally {
      this.#open -= 1;
      this.samples.at.push(at);
      this.samples.ms.push(Math.round((performance.now() - started) * 1000) / 1000);
    }
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `${code ?? 'error'}: ${message}`.slice(0, 200);
}

function egressSender(lane: EgressLane): Send {
  const dispatcher: Dispatcher = new Agent({ connect: { socketPath: lane.socket }, connections: 32 });
  const sent =
    lane.body === undefined
      ? ({ method: 'GET' } as const)
      : ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: lane.body } as const);
  const deadlines = { headersTimeout: DEADLINE_MS, bodyTimeout: DEADLINE_MS };
  return async () => {
    const { statusCode, body } = await request(lane.url, { dispatcher, ...deadlines, ...sent });
    if (statusCode < 400) {
      await body.dump();
      return { status: statusCode };
    }
    const { code } = (await body.json().catch(() => ({}))) as { code?: string };
    return { status: statusCode, ...(code === undefined ? {} : { code }) };
  };
}

interface Material {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Reads the files again and again, as a client does that takes part in a rotation. */
async function directSender(lane: DirectLane): Promise<Send> {
  let material = await readMaterial(lane);
  if (material === undefined) throw new Error('the certificate and the key in the files are not a pair');
  setInterval(() => {
    void readMaterial(lane).then((found) => (material = found ?? material));
  }, FILES_EVERY_MS).unref();
  const agent = new HttpsAgent({ keepAlive: false, maxCachedSessions: 0 });
  const { host, port, servername, path } = lane;
  return async () =>
    await new Promise<Answer>((resolve, reject) => {
      const asked = get(
        { host, port, path, servername, agent, minVersion: 'TLSv1.3', ...material, timeout: DEADLINE_MS },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0 }));
          answer.once('error', reject);
        },
      );
      asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.once('error', reject);
    });
}

/** Two files are not written in one moment: a certificate beside another's key is read again later. */
async function readMaterial({ files }: DirectLane): Promise<Material | undefined> {
  const [cert, key, ca] = await Promise.all(
    [files.chain, files.key, files.trust].map(async (file) => await readFile(file, 'utf8')),
  );
  if (cert === undefined || key === undefined || ca === undefined) return undefined;
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key, ca } : undefined;
}

const tell = (message: FromLoad): void => void process.send?.(message);

async function run(lanes: readonly Lane[]): Promise<void> {
  const running = await Promise.all(
    lanes.map(
      async (lane) =>
        new RunningLane(lane, lane.kind === 'egress' ? egressSender(lane) : await directSender(lane)),
    ),
  );
  const ticking = setInterval(() => running.forEach((lane) => lane.tick()), TICK_MS);
  tell({ kind: 'started' });
  process.on('message', (message: ToLoad) => {
    if (message.kind !== 'stop') return;
    clearInterval(ticking);
    const ending = setInterval(() => {
      if (!running.every((lane) => lane.isIdle)) return;
      clearInterval(ending);
      tell({ kind: 'ended', lanes: running.map(({ samples }) => samples) });
    }, 10);
  });
}

process.once('message', (message: ToLoad) => {
  if (message.kind === 'start') void run(message.lanes);
});
// Ends with whoever started it, and not before its answer is read.
process.on('disconnect', () => process.exit());
// A Ctrl-C reaches the whole group: the one who started it decides.
process.on('SIGINT', () => {});
