import { Metric, Stats, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter, type IFilterPattern, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Mesh } from '../../mesh/definition.ts';
import { METRIC_NAMESPACE, type EnvoyFigure } from '../../sidecar/envoy/metric-lines.ts';
import { FIVE_MINUTES } from './alarms.ts';

/** What a sidecar writes down of its Envoy. */
export function envoyMetric(
  mesh: Mesh,
  node: string,
  name: EnvoyFigure,
  statistic: string = Stats.SUM,
): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: name,
    dimensionsMap: { Mesh: mesh.name, Node: node },
    statistic,
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
