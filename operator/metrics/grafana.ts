import { DashboardBuilder, RowBuilder, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { METRICS, type Metric, type MetricUnit, type PanelGroup } from '../../runtime/metrics/catalogue.ts';
import { panelExpression } from './expressions.ts';

/** Rows in the order in which a person on call reads them. */
const ROWS: Readonly<Record<PanelGroup, string>> = {
  traffic: 'Traffic and handshakes',
  gateway: 'The gateway: callers from outside',
  refusals: 'Refusals',
  certificates: 'Certificates and revocation',
  keys: 'Keys of the vault',
  vault: 'The vault and its store',
};

const UNITS: Readonly<Record<MetricUnit, string>> = {
  count: 'short',
  seconds: 's',
  days: 'd',
  'unix-seconds': 's',
  flag: 'short',
};

const WIDTH = 12;
const HEIGHT = 8;

/** The dashboard as Grafana imports it: a panel for each metric of the list, for any Prometheus data source. */
export function grafanaDashboard(meshName: string): Dashboard {
  const dashboard = new DashboardBuilder(`${meshName}: the mesh and its vault`)
    .uid(meshName)
    .tags([meshName])
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .timezone('browser');
  let id = 1;
  for (const group of Object.keys(ROWS) as PanelGroup[]) {
    dashboard.withRow(new RowBuilder(ROWS[group]).id(id++));
    for (const metric of METRICS.filter(({ panel }) => panel === group))
      dashboard.withPanel(panelOf(metric).id(id++));
  }
  return dashboard.build();
}

function panelOf(metric: Metric): PanelBuilder {
  const unit = metric.kind === 'counter' ? 'cps' : UNITS[metric.unit];
  return new PanelBuilder()
    .title(metric.name)
    .description(metric.meaning)
    .unit(unit)
    .min(0)
    .span(WIDTH)
    .height(HEIGHT)
    .withTarget(new DataqueryBuilder().expr(panelExpression(metric)).legendFormat('__auto'));
}
