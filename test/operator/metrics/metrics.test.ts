import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { alertingRules } from '../../../operator/metrics/alerting-rules.ts';
import { grafanaDashboard } from '../../../operator/metrics/grafana.ts';
import { metricTables } from '../../../operator/metrics/page.ts';
import { ALARMS } from '../../../runtime/metrics/alarms.ts';
import { METRICS } from '../../../runtime/metrics/catalogue.ts';
import { anchorsOf, ROOT, textOf } from '../../support/documents.ts';

const UPDATE = process.env['UPDATE_GOLDENS'] === '1';

/** @returns What the golden file says, after it was written anew where that is asked for. */
function golden(name: string, value: object): unknown {
  const file = join(ROOT, 'test', 'golden', 'metrics', name);
  if (UPDATE) writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const anchors = anchorsOf('docs/runbook.md');

describe('the list of metrics', () => {
  it('names each metric and each alarm once', () => {
    for (const names of [METRICS.map(({ name }) => name), ALARMS.map(({ name }) => name)])
      expect(new Set(names).size).toBe(names.length);
  });

  it('has an alarm only of a metric that it has, with labels that the metric has', () => {
    for (const { metric, where = {}, of } of ALARMS) {
      const found = METRICS.find(({ name }) => name === metric);
      expect(found).toBeDefined();
      expect(Object.keys(where).filter((label) => found?.labels.includes(label) !== true)).toEqual([]);
      expect(of === 'increase').toBe(found?.kind === 'counter');
      expect(of === 'until').toBe(found?.unit === 'unix-seconds');
    }
  });

  it('leads from each alarm to an entry of the runbook', () => {
    expect(ALARMS.filter(({ runbook }) => !anchors.includes(runbook))).toEqual([]);
  });

  it('is what the page says', () => {
    const page = textOf('docs/metrics.md');
    const head = page.slice(0, page.indexOf('## What there is') + '## What there is\n\n'.length);
    const made = `${head}${metricTables()}\n`;
    if (UPDATE) writeFileSync(join(ROOT, 'docs', 'metrics.md'), made);
    expect(textOf('docs/metrics.md')).toBe(made);
  });
});

describe('what is made of it', () => {
  it('is a Grafana dashboard with a panel for each metric, as its golden file says', () => {
    const dashboard = grafanaDashboard('tokenmesh');
    expect(JSON.parse(JSON.stringify(dashboard))).toEqual(golden('grafana-dashboard.json', dashboard));
    const panels = dashboard.panels ?? [];
    expect(panels.map(({ title }) => title)).toEqual(expect.arrayContaining(METRICS.map(({ name }) => name)));
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is a file of alerting rules, as its golden file says', () => {
    const rules = alertingRules('tokenmesh');
    expect(rules).toEqual(golden('alerting-rules.json', rules));
    expect(JSON.stringify(rules)).toContain(
      'increase(envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix=\\"inbound\\",envoy_response_code_class=\\"5\\"}[5m]) > 10',
    );
  });
});
