/**
 * Metrics for CloudWatch: lines in its embedded metric format (EMF) on standard output, which the log driver
 * of the task takes along. No agent of CloudWatch has to run, and nothing is called.
 *
 * @module
 */

import { Metrics, MetricUnit as Unit } from '@aws-lambda-powertools/metrics';
import parse from 'parse-prometheus-text-format';
import { METRICS, type Metric, type MetricUnit } from '../../runtime/metrics/catalogue.ts';

const UNITS: Readonly<Record<MetricUnit, (typeof Unit)[keyof typeof Unit]>> = {
  count: Unit.Count,
  seconds: Unit.Seconds,
  days: Unit.NoUnit,
  'unix-seconds': Unit.Seconds,
  flag: Unit.NoUnit,
};

/** A dimension of every series, beside the node and the labels. */
export const EMF_SERVICE = 'mesh';

export interface EmfOptions {
  /** CloudWatch's namespace. */
  readonly namespace: string;
  readonly node: string;
  /** @returns What each source exposes in Prometheus' format; empty where it does not answer. */
  readonly scrape: () => Promise<readonly string[]>;
  readonly write: (line: string) => void;
  /** In milliseconds since 1970. */
  readonly now: () => number;
}

interface Sample {
  readonly metric: Metric;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Writes the metrics of the list, each time that it is asked to: gauges as they are, what is a point in time
 * as the seconds that are left, counters as what was added since the last time. The first answer of a source
 * tells no counter. Histograms are left out: CloudWatch has no series of buckets.
 */
export function emfWriter({ namespace, node, scrape, write, now }: EmfOptions): () => Promise<void> {
  const before = new Map<string, number>();
  const answered = new Set<number>();
  const valueOf = ({ metric, labels, value }: Sample, isFirst: boolean): number | undefined => {
    if (metric.unit === 'unix-seconds') return value === 0 ? undefined : Math.round(value - now() / 1000);
    if (metric.kind === 'gauge') return value;
    const series = `${metric.name} ${JSON.stringify(labels)}`;
    // A series begins with its first count, and is told of all the same.
    const last = before.get(series) ?? 0;
    before.set(series, value);
    if (isFirst) return undefined;
    // A process that was started anew counts from 0.
    return value >= last ? value - last : value;
  };
  return async () => {
    for (const [source, text] of (await scrape()).entries()) {
      const isFirst = !answered.has(source);
      if (text !== '') answered.add(source);
      for (const sample of samplesIn(text)) {
        const value = valueOf(sample, isFirst);
        if (value !== undefined) write(lineOf(sample, value));
      }
    }
  };

  function lineOf({ metric, labels }: Sample, value: number): string {
    const line = new Metrics({ namespace, serviceName: EMF_SERVICE });
    line.addDimensions({ node, ...labels });
    line.addMetric(metric.name, UNITS[metric.unit], value);
    return JSON.stringify(line.serializeMetrics());
  }
}

/** Those of the list alone: an Envoy exposes hundreds, and CloudWatch bills each. */
function samplesIn(text: string): Sample[] {
  const families = new Map(parse(text).map((family) => [family.name, family]));
  return METRICS.filter(({ kind }) => kind !== 'histogram').flatMap((metric) =>
    (families.get(metric.name)?.metrics ?? []).flatMap(({ value, labels = {} }) => {
      const number = Number(value);
      const where = Object.entries(metric.where ?? {});
      if (!Number.isFinite(number) || !where.every(([label, wanted]) => labels[label] === wanted)) return [];
      const told = Object.fromEntries(metric.labels.map((label) => [label, labels[label] ?? 'none']));
      return [{ metric, labels: told, value: number }];
    }),
  );
}
