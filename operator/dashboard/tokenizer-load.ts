import { Agent, request } from 'undici';
import { quantileOf, readMetrics, type MetricSample } from '../facts/metrics-text.ts';
import type { LoadPoint, RefusalCount } from './snapshot.ts';

const POINTS_KEPT = 150;
/** A quantile of a handful of requests says little. */
const WINDOW_MS = 10_000;

const ITEMS = 'tokenmesh_tokenizer_items_total';
const DURATIONS = 'tokenmesh_tokenizer_request_duration_seconds_bucket';
const REFUSALS = 'tokenmesh_tokenizer_refusals_total';

interface Look {
  readonly at: number;
  readonly tokenized: number;
  readonly detokenized: number;
  /** Cumulative counts by upper bound, in seconds. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** What the tokenizer counts of itself, read from inside its task: over the socket that no caller reaches. */
export class TokenizerLoad {
  readonly #socket: string;
  readonly #looks: Look[] = [];
  #points: LoadPoint[] = [];

  constructor(appSocket: string) {
    this.#socket = appSocket;
  }

  async look(): Promise<{ points: readonly LoadPoint[]; refusals: RefusalCount[]; isAnswering: boolean }> {
    const samples = await metricsOf(this.#socket).catch(() => undefined);
    if (samples === undefined) {
      this.#looks.length = 0;
      return { points: this.#points, refusals: [], isAnswering: false };
    }
    this.#add(lookAt(samples));
    return { points: this.#points, refusals: refusalsIn(samples), isAnswering: true };
  }

  #add(now: Look): void {
    const last = this.#looks.at(-1);
    // Fewer than before: the tokenizer has been started again.
    if (last !== undefined && now.tokenized < last.tokenized) this.#looks.length = 0;
    const before = this.#looks.at(-1);
    this.#looks.push(now);
    while (this.#looks.length > 2 && now.at - (this.#looks[1]?.at ?? 0) >= WINDOW_MS) this.#looks.shift();
    if (before === undefined) return;
    const seconds = (now.at - before.at) / 1000;
    const buckets = difference(now.buckets, this.#looks[0]?.buckets ?? new Map());
    const point = {
      atSeconds: now.at / 1000,
      tokenizedPerSecond: (now.tokenized - before.tokenized) / seconds,
      detokenizedPerSecond: (now.detokenized - before.detokenized) / seconds,
      p50Ms: inMs(quantileOf(buckets, 0.5)),
      p99Ms: inMs(quantileOf(buckets, 0.99)),
    };
    this.#points = [...this.#points, point].slice(-POINTS_KEPT);
  }
}

async function metricsOf(socketPath: string): Promise<MetricSample[]> {
  const dispatcher = new Agent({ connect: { socketPath } });
  try {
    const { body, statusCode } = await request('http://app/metrics', { dispatcher, headersTimeout: 2_000 });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`expected metrics, got ${statusCode}`);
    return readMetrics(text);
  } finally {
    await dispatcher.close();
  }
}

function lookAt(samples: readonly MetricSample[]): Look {
  const items = (operation: string): number =>
    samples
      .filter(
        ({ name, labels }) =>
          name === ITEMS && labels['operation'] === operation && labels['outcome'] === 'ok',
      )
      .reduce((sum, { value }) => sum + value, 0);
  const buckets = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    // Health and metrics are asked for by machines, and would hide what callers wait for.
    if (name !== DURATIONS || labels['route']?.startsWith('/v1/') !== true) continue;
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return { at: Date.now(), tokenized: items('tokenize'), detokenized: items('detokenize'), buckets };
}

function difference(now: Look['buckets'], before: Look['buckets']): Map<number, number> {
  return new Map([...now].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

function inMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000;
}

function refusalsIn(samples: readonly MetricSample[]): RefusalCount[] {
  return samples
    .filter(({ name, value }) => name === REFUSALS && value > 0)
    .map(({ labels, value }) => ({
      by: 'the tokenizer',
      node: labels['node'] ?? '',
      operation: labels['operation'] ?? '',
      reason: labels['code'] ?? '',
      count: value,
    }));
}
