import { Option, type Command } from 'commander';
import type { Mesh } from '../mesh/definition.ts';
import { ALARMS } from '../runtime/metrics/alarms.ts';
import { METRICS } from '../runtime/metrics/catalogue.ts';
import { alertingRules } from './metrics/alerting-rules.ts';
import { metricTables } from './metrics/page.ts';

const FORMATS = {
  table: () => metricTables(),
  json: () => toJson({ metrics: METRICS, alarms: ALARMS }),
  // Grafana's types take a tenth of a second to load, which no other command should wait for.
  grafana: async ({ name }: Mesh) => toJson((await import('./metrics/grafana.ts')).grafanaDashboard(name)),
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
    .action(async ({ format }: { format: Format }) => print(await FORMATS[format](mesh)));
}

function toJson(value: object): string {
  return JSON.stringify(value, null, 2);
}
