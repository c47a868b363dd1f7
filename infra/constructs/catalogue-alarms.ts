import { Stats, type Metric as CloudWatchMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { certificateSourceOf } from '../../mesh/certificate-source.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { listenerMode, memberOf } from '../../mesh/edges.ts';
import { ALARMS } from '../../runtime/metrics/alarms.ts';
import { metricNamed, type Alarm, type Metric } from '../../runtime/metrics/catalogue.ts';
import { perMinute, seriesMetric } from './mesh-metrics.ts';

/** One alarm of CloudWatch: an alarm watches one series, which has all its dimensions. */
export interface WatchedSeries {
  readonly id: string;
  readonly alarm: Alarm;
  readonly metric: CloudWatchMetric;
  /** How many periods in a row it has to be so. */
  readonly periods: number;
}

/** Labels whose values are known before anything has happened. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = { role: ['client', 'server'] };

/** Alarms of the list that are none of CloudWatch's, and why. */
export const NOT_IN_CLOUDWATCH: Readonly<Record<string, string>> = {
  'crl-ends':
    'a series for each CA, which are not known beforehand; revocation-behind tells of a CRL that is old',
  'items-refused': 'a series for each operation and code: refused-reveals-unusual watches refusals',
  'honey-token-used': 'a series for each operation: tokenizer-asks tells of it, from the log',
  'format-exhausted': 'a series for each format: tokenizer-asks tells of it, from the log',
  'replication-behind': 'a series for each other region: tokenizer-asks tells of it, from the log',
  'tokens-refused':
    'the load balancer refuses such callers, and its own requests for a sign of life, which have no token, are all that is counted',
};

/** What is watched of a node. */
export function seriesOf(mesh: Mesh, node: string): WatchedSeries[] {
  return ALARMS.filter(({ name }) => !(name in NOT_IN_CLOUDWATCH))
    .filter((alarm) => isOf(mesh, node, alarm, metricNamed(alarm.metric)))
    .flatMap((alarm) =>
      dimensionsOf(alarm).map((labels) => ({
        id: [node, ...Object.values(labels), alarm.name].join('-'),
        alarm,
        ...watched(mesh, node, alarm, labels),
      })),
    );
}

function watched(mesh: Mesh, node: string, alarm: Alarm, labels: Readonly<Record<string, string>>) {
  const { metric, of, comparison, minutes } = alarm;
  if (of === 'increase') {
    return { metric: seriesMetric(mesh, node, metric, labels, perMinute(Stats.SUM, minutes)), periods: 1 };
  }
  const statistic = comparison === '<' ? Stats.MINIMUM : Stats.MAXIMUM;
  return { metric: seriesMetric(mesh, node, metric, labels, perMinute(statistic)), periods: minutes };
}

function isOf(mesh: Mesh, node: string, { name }: Alarm, { source, nodes }: Metric): boolean {
  const isShortLived = certificateSourceOf(mesh, node).kind === 'short-lived';
  // Days are too coarse for a life of a week: renewal-overdue watches that.
  if (name === 'certificate-ends' && isShortLived) return false;
  if (source === 'tokenizer') return node === 'tokenizer';
  switch (nodes) {
    case undefined:
      return true;
    case 'gateways':
      return node in mesh.virtualGateways;
    case 'short-lived':
      return isShortLived;
    case 'mutual': {
      const member = memberOf(mesh, node);
      return member !== undefined && listenerMode(member.listener) === 'mtls';
    }
  }
}

/** The labels of each series that an alarm is about. */
function dimensionsOf({ name, metric, where = {} }: Alarm): Readonly<Record<string, string>>[] {
  let found: Record<string, string>[] = [{}];
  for (const label of metricNamed(metric).labels) {
    const values = where[label] === undefined ? KNOWN_VALUES[label] : [where[label]];
    if (values === undefined)
      throw new RangeError(
        `${name}: expected the values of the label "${label}" to be known, or a reason in NOT_IN_CLOUDWATCH`,
      );
    found = found.flatMap((labels) => values.map((value) => ({ ...labels, [label]: value })));
  }
  return found;
}
