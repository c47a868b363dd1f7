import { ALARMS } from '../../runtime/metrics/alarms.ts';
import { METRICS, type Alarm, type Metric, type MetricSource } from '../../runtime/metrics/catalogue.ts';
import { alarmExpression } from './expressions.ts';

const WHERE: Readonly<Record<MetricSource, string>> = {
  tokenizer: "tokenizer: `GET /metrics` on the app's socket",
  agent: "each sidecar's agent: `GET /metrics` on its socket",
  envoy: 'each Envoy: `GET /stats/prometheus` on its admin interface',
};

/** The tables of docs/metrics.md. */
export function metricTables(): string {
  const sources = Object.keys(WHERE) as MetricSource[];
  return [
    ...sources.map((source) =>
      [
        `### ${WHERE[source]}`,
        '| name | kind | unit | labels | meaning |',
        '|---|---|---|---|---|',
        ...METRICS.filter((each) => each.source === source).map(metricRow),
      ].join('\n'),
    ),
    [
      '## Alarms',
      '| name | severity | goes off when | as PromQL | what to do |',
      '|---|---|---|---|---|',
      ...ALARMS.map(alarmRow),
    ].join('\n'),
  ].join('\n\n');
}

function metricRow({ name, kind, unit, labels, meaning, nodes }: Metric): string {
  const only = nodes === undefined ? '' : ` (${nodes} alone)`;
  return `| \`${name}\` | ${kind} | ${unit} | ${labels.join(', ')} | ${meaning}${only} |`;
}

function alarmRow(alarm: Alarm): string {
  return `| \`${alarm.name}\` | ${alarm.severity} | ${alarm.sentence} | \`${alarmExpression(alarm)}\` | [runbook](runbook.md#${alarm.runbook}) |`;
}
