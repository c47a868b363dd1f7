import { figure, type Figure } from '../mesh/figures.ts';
import type { Machine } from '../mesh/machine.ts';
import { median } from '../mesh/statistics.ts';
import type { CertificateBenchResult } from './certificates-bench.ts';

/** Goals that the figures stand beside. */
const SEEN_GOAL_MS = 50;
const RATE_GOAL = 500;

/** Whether no request failed, on any lane, and each lane had some. */
export function holds({ lanes }: CertificateBenchResult): boolean {
  return lanes.every(({ requests, failed }) => requests > 0 && failed === 0);
}

export function certificateFigures(result: CertificateBenchResult): Figure[] {
  const requests = sum(result.lanes.map((lane) => lane.requests));
  const failed = sum(result.lanes.map((lane) => lane.failed));
  const [kept] = result.lanes;
  const served = result.rotations.map(({ servedMs }) => servedMs);
  const seen = result.swaps.flatMap(({ seenMs }) => seenMs);
  const goal = { name: 'goal', value: SEEN_GOAL_MS };
  const published = { name: 'published', value: median(result.rotations.map((each) => each.publishedMs)) };
  return [
    figure('requests-failed', failed, 'requests', { name: 'requests', value: requests }),
    figure('requests-per-second', sum(result.lanes.map((lane) => lane.perSecond)), 'requests/s', {
      name: 'goal',
      value: RATE_GOAL,
    }),
    ...(kept === undefined
      ? []
      : [
          figure('p99-during-changes', kept.during.p99Ms, 'ms', {
            name: 'outside',
            value: kept.outside.p99Ms,
          }),
        ]),
    figure('rotate-median', median(served), 'ms', published),
    figure('rotate-worst', Math.max(...served), 'ms', published),
    figure('swap-to-handshake-median', median(seen), 'ms', goal),
    figure('swap-to-handshake-worst', Math.max(...seen), 'ms', goal),
    ...result.rollovers.map(({ hierarchy, ms }) =>
      figure(`rollover-${hierarchy}`, ms, 'ms', { name: 'rotation', value: median(served) }),
    ),
  ];
}

export function certificateReport(
  machine: Machine,
  result: CertificateBenchResult,
  figures: readonly Figure[],
): string {
  const lanes = result.lanes.map(
    ({ name, requests, perSecond, heldBack, failed, during, outside }) =>
      `| ${name} | ${requests} | ${ms(perSecond)} | ${heldBack} | ${failed} | ${ms(during.p50Ms)} | ${ms(outside.p50Ms)} | ${ms(during.p99Ms)} | ${ms(outside.p99Ms)} |`,
  );
  const swaps = result.swaps.map(
    (each) =>
      `- ${each.swaps} swaps of ${each.node} ${each.role}: the new serial on a new connection before the next swap ${each.seenMs.length} times, after ${ms(median(each.seenMs))} ms (median), ${ms(Math.max(...each.seenMs))} ms (worst)`,
  );
  const failures = result.lanes.flatMap((lane) => lane.failures.map((each) => `- ${lane.name}: ${each}`));
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Envoy ${machine.envoy}`,
    `${result.rotations.length} rotations, ${sum(result.swaps.map((each) => each.swaps))} swaps, ${result.rollovers.length} rollovers in ${result.seconds.toFixed(0)} s.`,
    [
      '| load | requests | a second | held back | failed | p50 ms during | outside | p99 ms during | outside |',
      '|---|---|---|---|---|---|---|---|---|',
      ...lanes,
    ].join('\n'),
    [
      '| figure | value | unit | beside | its value |',
      '|---|---|---|---|---|',
      ...figures.map(
        ({ id, value, unit, baseline }) =>
          `| \`${id}\` | ${ms(value)} | ${unit} | ${baseline.name} | ${ms(baseline.value)} |`,
      ),
    ].join('\n'),
    swaps.join('\n'),
    ...(failures.length === 0 ? [] : [failures.join('\n')]),
  ].join('\n\n');
}

function ms(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
