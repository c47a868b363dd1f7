/**
 * `npm run bench -- issuance`: a thousand tasks against a CA that takes 25 orders a second.
 *
 * No clock and no network: what it prints is the same on every machine.
 *
 * @module
 */

import { FLEET_CALLS_PER_SECOND } from '../../sidecar/envoy/cert-agent/issuance/fair-share.ts';
import { peakPerSecond, runFleet, type FleetRun, type FleetWish } from './fleet.ts';

/** AWS Private CA: calls of IssueCertificate and of GetCertificate, of an account in a region. */
export const QUOTA = { orders: 25, collects: 75 };

const TASKS = 1_000;
const SEEDS = 100;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const COLD_START: Omit<FleetWish, 'seed'> = {
  tasks: TASKS,
  limited: true,
  quotaPerSecond: QUOTA.orders,
  down: { fromMs: 0, untilMs: 0 },
  lifeMs: DAY_MS,
  untilMs: HOUR_MS,
};

interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly wish: Omit<FleetWish, 'seed'>;
  readonly seeds: number;
}

const UNLIMITED = { ...COLD_START, limited: false };

export const SCENARIOS: readonly Scenario[] = [
  { id: 'plain', title: 'cold start, a plain client of the SDK', wish: UNLIMITED, seeds: 5 },
  { id: 'cold-start', title: 'cold start, with the limiter', wish: COLD_START, seeds: SEEDS },
  {
    id: 'ca-down',
    title: 'the same, the CA down for 10 minutes',
    wish: { ...COLD_START, down: { fromMs: 0, untilMs: 10 * MINUTE_MS } },
    seeds: SEEDS,
  },
  {
    id: 'others',
    title: 'the same, others leave 5 calls a second',
    wish: { ...COLD_START, quotaPerSecond: 5 },
    seeds: SEEDS,
  },
  {
    id: 'three-days',
    title: 'cold start and three days of renewals',
    wish: { ...COLD_START, untilMs: 3 * DAY_MS },
    seeds: 20,
  },
  {
    id: 'down-at-renewal',
    title: 'the CA down for 7 hours, when all renew',
    wish: { ...COLD_START, down: { fromMs: 13 * HOUR_MS, untilMs: 20 * HOUR_MS }, untilMs: DAY_MS },
    seeds: 5,
  },
];

/** One scenario over all its seeds: the worst that was seen, and the median task. */
export interface ScenarioFigures {
  readonly id: string;
  readonly title: string;
  readonly seeds: number;
  readonly peakOrders: number;
  readonly peakCollects: number;
  readonly throttledShare: number;
  readonly medianReadySeconds: number;
  readonly lastReadySeconds: number;
  readonly ready: number;
  readonly expired: number;
}

export function figuresOf({ id, title, wish, seeds }: Scenario): ScenarioFigures {
  const runs = Array.from({ length: seeds }, (_, seed) => runFleet({ ...wish, seed }));
  const worst = (of: (run: FleetRun) => number): number => Math.max(...runs.map(of));
  const total = (of: (run: FleetRun) => number): number => runs.reduce((sum, run) => sum + of(run), 0);
  return {
    id,
    title,
    seeds,
    peakOrders: worst((run) => peakPerSecond(run.orders)),
    peakCollects: worst((run) => peakPerSecond(run.collects)),
    throttledShare: total((run) => run.throttled) / total((run) => run.orders.length),
    medianReadySeconds: worst((run) => (run.readyAtMs[run.readyAtMs.length >> 1] ?? 0) / 1000),
    lastReadySeconds: worst((run) => (run.readyAtMs.at(-1) ?? 0) / 1000),
    ready: Math.min(...runs.map((run) => run.readyAtMs.length)),
    expired: total((run) => run.expired),
  };
}

/** Whether a fleet kept under both quotas, got its certificates and lost none. */
export function isHeld(figures: ScenarioFigures): boolean {
  return (
    figures.peakOrders <= QUOTA.orders &&
    figures.peakCollects <= QUOTA.collects &&
    figures.ready === TASKS &&
    figures.expired === 0
  );
}

/** @returns Whether the limiter holds in every scenario. The plain client is there to compare. */
export function runIssuance(isJson: boolean): boolean {
  const all = SCENARIOS.map(figuresOf);
  if (isJson) process.stdout.write(`${JSON.stringify({ quota: QUOTA, scenarios: all }, null, 2)}\n`);
  else process.stdout.write(report(all));
  return all.every((each) => each.id === 'plain' || isHeld(each));
}

function report(all: readonly ScenarioFigures[]): string {
  const rows = all.map(
    (each) =>
      `| ${each.title} | ${each.seeds} | ${each.peakOrders} | ${each.peakCollects} | ${(each.throttledShare * 100).toFixed(1)} % | ${each.medianReadySeconds.toFixed(0)} s | ${each.lastReadySeconds.toFixed(0)} s | ${each.expired} |`,
  );
  return [
    `${TASKS} tasks, two certificates each of 24 hours; the limiter aims at ${FLEET_CALLS_PER_SECOND} calls a second, the quota is ${QUOTA.orders} (IssueCertificate) and ${QUOTA.collects} (GetCertificate). Of all seeds, the worst is shown.`,
    '',
    '| | seeds | IssueCertificate, most in a second | GetCertificate, most in a second | throttled | median task ready | last task ready | expired |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...curve('a plain client', runFleet({ ...UNLIMITED, seed: 1 })),
    '',
    ...curve('with the limiter', runFleet({ ...COLD_START, seed: 1 })),
    '',
  ].join('\n');
}

const CURVE_STEP_MS = 10_000;
const CURVE_WIDTH = 60;

/** The most calls in any second of each ten, as bars under one scale of their own. */
function curve(title: string, run: FleetRun): string[] {
  const steps = Math.ceil(((run.orders.at(-1) ?? 0) + 1) / CURVE_STEP_MS);
  const peaks = Array.from({ length: steps }, (_, step) =>
    peakPerSecond(run.orders.filter((atMs) => Math.floor(atMs / CURVE_STEP_MS) === step)),
  );
  const scale = Math.max(...peaks, QUOTA.orders) / CURVE_WIDTH;
  const mark = Math.max(Math.round(QUOTA.orders / scale), 1);
  const bars = peaks.map((peak, step) => {
    const bar = '#'.repeat(Math.round(peak / scale)).padEnd(mark - 1);
    const withMark = bar.length >= mark ? bar : `${bar}|`;
    return `${String((step * CURVE_STEP_MS) / 1000).padStart(5)} s ${withMark} ${peak}`;
  });
  return [
    `IssueCertificate, most calls in a second, ${title} (| is the quota of ${QUOTA.orders}):`,
    '',
    ...bars,
  ];
}
