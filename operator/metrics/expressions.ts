import { metricNamed, type Alarm, type Metric } from '../../runtime/metrics/catalogue.ts';

/** The series of a metric in PromQL, such as `name{label="value"}`. */
export function selectorOf(
  { name, where = {} }: Metric,
  more: Readonly<Record<string, string>> = {},
): string {
  const labels = Object.entries({ ...where, ...more }).map(([label, value]) => `${label}="${value}"`);
  return labels.length === 0 ? name : `${name}{${labels.join(',')}}`;
}

/** What an alarm compares with its threshold, in PromQL. */
export function alarmExpression({ metric, where, of, comparison, threshold, minutes }: Alarm): string {
  const selector = selectorOf(metricNamed(metric), where);
  switch (of) {
    case 'increase':
      return `increase(${selector}[${minutes}m]) ${comparison} ${threshold}`;
    case 'value':
      return `${selector} ${comparison} ${threshold}`;
    case 'until':
      // 0 stands for none.
      return `(${selector} > 0) - time() ${comparison} ${threshold}`;
  }
}

/** One series for each node and label that tells what happened. */
export function panelExpression(metric: Metric): string {
  const by = [
    'node',
    ...metric.labels.filter((label) => !['method', 'status', 'authority', 'node'].includes(label)),
  ];
  const selector = selectorOf(metric);
  switch (metric.kind) {
    case 'counter':
      return `sum by (${by.join(', ')}) (rate(${selector}[$__rate_interval]))`;
    case 'gauge':
      return metric.unit === 'unix-seconds'
        ? `min by (${by.join(', ')}) ((${selector} > 0) - time())`
        : `max by (${by.join(', ')}) (${selector})`;
    case 'histogram':
      return `histogram_quantile(0.99, sum by (le, ${by.join(', ')}) (rate(${selectorOf({ ...metric, name: `${metric.name}_bucket` })}[$__rate_interval])))`;
  }
}
