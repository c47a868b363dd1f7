import { Option, type Command } from 'commander';
import type { Mesh } from '../mesh/definition.ts';
import { ALARMS } from '../runtime/metrics/alarms.ts';
import { METRICS } from '../runtime/metrics/catalogue.ts';
import { alertingRules } from './metrics/alerting-rules.ts';
import { grafanaDashboard } from './metrics/grafana.ts';
import { metricTables } from './metrics/page.ts';

const FORMATS = {
  table: () => metricTables(),
  json: () => toJson({ metrics: METRICS, alarms: ALARMS }),
  grafana: ({ name }: Mesh) => toJson(grafanaDashboard(name)),
  prometheus: ({ name }: Mesh) => toJson(alertingRules(name)),
} as const;

type Format = keyof typeof FORMATS;

/** Needs no running mesh. */
export function addMetricsCommand(program: Command, mesh: Mesh, print: (text: string) => void): void {
  program
    .command('metrics')
    .description('the list of metrics and alarms, and what is made from it')
    .addOption(
      new Option('--format <format>', 'grafana: a dashboard to import; prometheus: a file of alerting rules')
        .choices(Object.keys(FORMATS))
        .default('table'),
    )
    .action(({ format }: { format: Format }) => print(FORMATS[format](mesh)));
}

function toJson(value: object): string {
  return JSON.stringify(value, null, 2);
}
