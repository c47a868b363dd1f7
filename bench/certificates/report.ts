import { figure, type Figure } from '../mesh/figures.ts';
import type { Machine } from '../mesh/machine.ts';
import { median } from '../mesh/statistics.ts';
import type { CertificateBenchResult } from './certificates-bench.ts';
import type { Phase } from './phase.ts';
import type { LaneResult } from './windows.ts';

/** Goals that the figures stand beside. */
const SEEN_GOAL_MS = 50;
const REFUSED_GOAL_MS = 1_000;
const RATE_GOAL = 500;
/** Of a lane; the raw output has all. */
const SHOWN_FAILURES = 5;

const lanesOf = ({ phases }: CertificateBenchResult): LaneResult[] =>
  phases.flatMap(({ lanes }) => [...lanes]);

/** Whether no request failed, on any lane, and each lane had some. */
export function holds(result: CertificateBenchResult): boolean {
  return lanesOf(result).every(({ requests, failed }) => requests > 0 && failed === 0);
}

export function certificateFigures(result: CertificateBenchResult): Figure[] {
  const lanes = lanesOf(result);
  return [
    figure('requests-failed', sum(lanes.map(({ failed }) => failed)), 'requests', {
      name: 'requests',
      value: sum(lanes.map(({ requests }) => requests)),
    }),
    figure('requests-per-second', Math.min(...result.phases.map(rateOf)), 'requests/s', {
      name: 'goal',
      value: RATE_GOAL,
    }),
    ...result.phases.flatMap(latencyFigures),
    ...rotationFigures(result),
    ...swapFigures(result),
    ...revocationFigures(result),
  ];
}

function rateOf({ lanes }: Phase): number {
  return sum(lanes.map(({ perSecond }) => perSecond));
}

function latencyFigures({ name, lanes: [kept] }: Phase): Figure[] {
  if (kept === undefined) return [];
  const id = `p99-during-${name.replaceAll(' ', '-')}`;
  return [figure(id, kept.during.p99Ms, 'ms', { name: 'outside', value: kept.outside.p99Ms })];
}

function rotationFigures({ rotations, rotationsUnderLoad, rollovers }: CertificateBenchResult): Figure[] {
  const byLoad = { '': rotations, '-under-load': rotationsUnderLoad };
  return [
    ...Object.entries(byLoad).flatMap(([suffix, each]) => {
      const served = each.map(({ servedMs }) => servedMs);
      const published = each.map(({ publishedMs }) => publishedMs);
      return medianAndWorst(`rotate${suffix}`, served, { name: 'published', value: median(published) });
    }),
    ...rollovers.map(({ hierarchy, ms: took }) =>
      figure(`rollover-${hierarchy}`, took, 'ms', {
        name: 'rotation',
        value: median(rotationsUnderLoad.map(({ servedMs }) => servedMs)),
      }),
    ),
  ];
}

function swapFigures({ swaps }: CertificateBenchResult): Figure[] {
  const goal = { name: 'goal', value: SEEN_GOAL_MS };
  return [...Map.groupBy(swaps, ({ delivery }) => delivery)].flatMap(([delivery, each]) =>
    medianAndWorst(
      `${delivery}-to-handshake`,
      each.flatMap(({ seenMs }) => seenMs),
      goal,
    ),
  );
}

function revocationFigures({ revocations }: CertificateBenchResult): Figure[] {
  const goal = { name: 'goal', value: REFUSED_GOAL_MS };
  const from = (pick: (each: CertificateBenchResult['revocations'][number]) => number): number[] =>
    revocations.map(pick);
  return [
    ...medianAndWorst(
      'revoke',
      from((each) => each.refusedMs ?? Infinity),
      goal,
    ),
    ...medianAndWorst(
      'deny-list-to-refusal',
      from((each) => (each.refusedMs ?? Infinity) - each.deniedMs),
      goal,
    ),
    ...medianAndWorst(
      'crl-to-refusal',
      from((each) => each.handshakeRefusedMs - each.revokedMs),
      goal,
    ),
  ];
}

function medianAndWorst(id: string, values: readonly number[], baseline: Figure['baseline']): Figure[] {
  return [
    figure(`${id}-median`, median(values), 'ms', baseline),
    figure(`${id}-worst`, Math.max(...values), 'ms', baseline),
  ];
}

export function certificateReport(
  machine: Machine,
  result: CertificateBenchResult,
  figures: readonly Figure[],
): string {
  const { rotations, rotationsUnderLoad, swaps, rollovers, revocations } = result;
  const failures = lanesOf(result).flatMap((lane) =>
    lane.failures.slice(0, SHOWN_FAILURES).map((each) => `- ${lane.name}: ${each}`),
  );
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Envoy ${machine.envoy}`,
    `Under load: ${rotationsUnderLoad.length} rotations, ${rollovers.length} rollovers, ${sum(swaps.map((each) => each.swaps))} swaps. Without: ${revocations.length} revocations, ${rotations.length} rotations.`,
    ...result.phases.map(phaseTable),
    [
      '| figure | value | unit | beside | its value |',
      '|---|---|---|---|---|',
      ...figures.map(
        ({ id, value, unit, baseline }) =>
          `| \`${id}\` | ${ms(value)} | ${unit} | ${baseline.name} | ${ms(baseline.value)} |`,
      ),
    ].join('\n'),
    swaps
      .map(
        (each) =>
          `- ${each.swaps} swaps of ${each.node} ${each.role} by ${each.delivery}: the new serial on a new connection before the next swap ${each.seenMs.length} times`,
      )
      .join('\n'),
    ...(failures.length === 0 ? [] : [failures.join('\n')]),
  ].join('\n\n');
}

function phaseTable({ name, lanes, seconds }: Phase): string {
  return [
    `| ${name}, ${seconds.toFixed(0)} s | requests | a second | held back | failed | p50 ms during | outside | p99 ms during | outside |`,
    '|---|---|---|---|---|---|---|---|---|',
    ...lanes.map(
      (each) =>
        `| ${each.name} | ${each.requests} | ${ms(each.perSecond)} | ${each.heldBack} | ${each.failed} | ${ms(each.during.p50Ms)} | ${ms(each.outside.p50Ms)} | ${ms(each.during.p99Ms)} | ${ms(each.outside.p99Ms)} |`,
    ),
  ].join('\n');
}

function ms(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
