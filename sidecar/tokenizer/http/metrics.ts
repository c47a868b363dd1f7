import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** What the service counts. No label holds what a caller may choose: routes are templates, identities those of the mesh. */
export interface Metrics {
  requestAnswered(request: AnsweredRequest): void;
  /** @param outcome - `ok`, or the code of the error. */
  itemDone(operation: string, outcome: string): void;
  /** A token was drawn that another record has already. */
  tokenTaken(format: string): void;
  /** No token of the format was free in all the draws of a request. */
  formatExhausted(format: string): void;
  readonly contentType: string;
  text(): Promise<string>;
}

export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly node: string;
  readonly durationSeconds: number;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param options - `process` adds the figures of the Node process: memory, event loop, garbage collection. */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const durations = new Histogram({
    name: 'tokenmesh_tokenizer_request_duration_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['route', 'method', 'status', 'node'],
    buckets: SECONDS,
    registers,
  });
  const items = new Counter({
    name: 'tokenmesh_tokenizer_items_total',
    help: 'Records tokenized, detokenized, described and deleted, by outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const collisions = new Counter({
    name: 'tokenmesh_token_collisions_total',
    help: 'Tokens drawn that another record had already, by format.',
    labelNames: ['format'],
    registers,
  });
  const exhaustions = new Counter({
    name: 'tokenmesh_format_exhausted_total',
    help: 'Requests for which no token of the format was free, by format.',
    labelNames: ['format'],
    registers,
  });
  return {
    requestAnswered({ route, method, status, node, durationSeconds }) {
      durations.observe({ route, method, status, node }, durationSeconds);
    },
    itemDone(operation, outcome) {
      items.inc({ operation, outcome });
    },
    tokenTaken(format) {
      collisions.inc({ format });
    },
    formatExhausted(format) {
      exhaustions.inc({ format });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
