import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter, type IFilterPattern, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Mesh } from '../../mesh/definition.ts';
import type { Metric as CataloguedMetric } from '../../runtime/metrics/catalogue.ts';
import { EMF_SERVICE } from '../../sidecar/envoy/emf.ts';
import { FIVE_MINUTES } from './alarms.ts';

/** How a series is summed up: in periods of so long. */
export interface Summed {
  readonly statistic: string;
  readonly period: Duration;
}

export function perMinute(statistic: string, minutes = 1): Summed {
  return { statistic, period: Duration.minutes(minutes) };
}

/** One series that a sidecar writes, under the dimensions that `sidecar/envoy/emf.ts` gives it. */
export function seriesMetric(
  mesh: Mesh,
  node: string,
  metricName: string,
  labels: Readonly<Record<string, string>>,
  summed: Summed,
): Metric {
  return new Metric({
    namespace: mesh.name,
    metricName,
    dimensionsMap: { service: EMF_SERVICE, node, ...labels },
    ...summed,
  });
}

/** Every series of a metric of the list, as a graph finds them: an alarm cannot. */
export function allSeries(mesh: Mesh, { name, kind, unit, labels }: CataloguedMetric): IMetric {
  const dimensions = [...new Set(['service', 'node', ...labels])].join(',');
  const gauge = unit === 'unix-seconds' || unit === 'days' ? 'Minimum' : 'Maximum';
  const statistic = kind === 'gauge' ? gauge : 'Sum';
  return new MathExpression({
    expression: `SEARCH('{${mesh.name},${dimensions}} MetricName="${name}"', '${statistic}', ${FIVE_MINUTES.toSeconds()})`,
    label: '',
    period: FIVE_MINUTES,
  });
}

export const LOG_NAMESPACE = 'tokenmesh/log';

/** How many lines of a log fit a pattern. */
export function linesOf(scope: Construct, id: string, logGroup: ILogGroup, pattern: IFilterPattern): IMetric {
  const filter = new MetricFilter(scope, id, {
    logGroup,
    filterPattern: pattern,
    metricNamespace: LOG_NAMESPACE,
    metricName: id,
    metricValue: '1',
    defaultValue: 0,
  });
  return filter.metric({ statistic: Stats.SUM, period: FIVE_MINUTES });
}

/** Something that a program cannot mend: it says so with `alarm`, and with what to do in `remedy`. */
export const ASKS_FOR_A_PERSON = FilterPattern.exists('$.alarm');

const REVEALS = '$.route = "/v1/detokenize*"';
const ANSWERED = '$.msg = "request answered"';

export const REVEALED = FilterPattern.literal(`{ (${ANSWERED}) && (${REVEALS}) && ($.status < 300) }`);
export const NOT_REVEALED = FilterPattern.literal(`{ (${ANSWERED}) && (${REVEALS}) && ($.status >= 400) }`);
export const FAILED = FilterPattern.literal(`{ (${ANSWERED}) && ($.status >= 500) }`);
