import { describe, expect, it } from '@jest/globals';
import { NOT_IN_CLOUDWATCH } from '../../infra/constructs/catalogue-alarms.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { ALARMS } from '../../runtime/metrics/alarms.ts';
import { METRICS, metricNamed } from '../../runtime/metrics/catalogue.ts';
import { emfWriter } from '../../sidecar/envoy/emf.ts';
import { textOf } from '../support/documents.ts';
import { synthesize, type Resource, type Synthesized } from '../support/synthesized.ts';

const exported = synthesize({ outsider: 'true' });
const shortLived = synthesize({ outsider: 'true', certificates: 'short-lived' });

type Dimensions = Readonly<Record<string, string>>;

/** The alarms on what the sidecars write. */
const alarmsOf = (of: Synthesized): Resource[] =>
  of.ofType('AWS::CloudWatch::Alarm').filter(({ properties }) => properties.Namespace === mesh.name);

const dimensionsOf = ({ properties }: Resource): Dimensions =>
  Object.fromEntries(
    properties.Dimensions.map(({ Name, Value }: { Name: string; Value: string }) => [Name, Value]),
  );

/** The dimensions under which a sidecar writes a series, from what is exposed to it. */
async function writtenDimensions(
  node: string,
  metricName: string,
  labels: Dimensions,
): Promise<Dimensions[]> {
  const { name, kind, where = {} } = metricNamed(metricName);
  const told = Object.entries({ ...where, ...labels }).map(([label, value]) => `${label}="${value}"`);
  const found: Dimensions[] = [];
  let count = 0;
  const write = emfWriter({
    namespace: mesh.name,
    node,
    scrape: async () => {
      count += 1;
      return await Promise.resolve([`# TYPE ${name} ${kind}\n${name}{${told.join(',')}} ${count}\n`]);
    },
    write: (line) => {
      const parsed = JSON.parse(line) as {
        _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] };
      } & Dimensions;
      const names = parsed._aws.CloudWatchMetrics[0]?.Dimensions[0] ?? [];
      found.push(Object.fromEntries(names.map((each) => [each, parsed[each] ?? ''])));
    },
    now: () => 0,
  });
  await write();
  await write();
  return found;
}

describe('the alarms on what sidecars write', () => {
  it('are those of the list, but for those that have a reason not to be', () => {
    const names = [...alarmsOf(exported), ...alarmsOf(shortLived)].map(
      ({ properties }) => properties.MetricName,
    );
    for (const { name, metric } of ALARMS) {
      expect([name, names.includes(metric)]).toEqual([name, !(name in NOT_IN_CLOUDWATCH)]);
    }
    const known = ALARMS.map(({ name }) => name);
    expect(Object.keys(NOT_IN_CLOUDWATCH).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('watch series that are written, by name and by every dimension', async () => {
    const all = [...alarmsOf(exported), ...alarmsOf(shortLived)];
    expect(all.length).toBeGreaterThan(90);
    for (const alarm of all) {
      const { service, node = '', ...labels } = dimensionsOf(alarm);
      expect(service).toBe('mesh');
      expect(await writtenDimensions(node, alarm.properties.MetricName, labels)).toContainEqual(
        dimensionsOf(alarm),
      );
    }
  });

  it('compare as the list says', () => {
    const one = (id: string): Resource =>
      exported.one('AWS::CloudWatch::Alarm', (each) => each.id.startsWith(`alarms${id}`));
    expect(one('tokenizerhandshakesrefused').properties).toMatchObject({
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 20,
      ComparisonOperator: 'GreaterThanThreshold',
    });
    expect(one('ordercertificateends').properties).toMatchObject({
      Statistic: 'Minimum',
      Period: 60,
      EvaluationPeriods: 15,
      Threshold: 30,
      ComparisonOperator: 'LessThanThreshold',
    });
    expect(one('orderclientcertificatebehind').properties).toMatchObject({
      Statistic: 'Maximum',
      Period: 60,
    });
  });

  it.each(nodeNames(mesh))('of %s are of a listener and of certificates as it has', (node) => {
    const namesIn = (of: Synthesized): string[] =>
      alarmsOf(of)
        .filter((alarm) => dimensionsOf(alarm)['node'] === node)
        .map(({ properties }) => properties.MetricName);
    expect(namesIn(exported)).toEqual(
      expect.arrayContaining(['envoy_listener_ssl_fail_verify_error', 'tokenmesh_revocation_problems']),
    );
    expect(namesIn(exported).includes('envoy_listener_ssl_no_certificate')).toBe(node !== 'gateway');
    expect(namesIn(exported)).not.toContain('tokenmesh_renewal_overdue');
    expect(namesIn(shortLived).includes('tokenmesh_renewal_overdue')).toBe(node !== 'gateway');
    expect(namesIn(shortLived).includes('envoy_server_days_until_first_cert_expiring')).toBe(
      node === 'gateway',
    );
  });

  it('that are none are on the page, each with its reason', () => {
    const page = textOf('docs/deploy.md');
    for (const [name, reason] of Object.entries(NOT_IN_CLOUDWATCH)) {
      expect(page).toContain(`| \`${name}\` | ${reason} |`);
    }
  });
});

describe('the dashboard', () => {
  it('shows every metric of the list that is written', () => {
    const body = JSON.stringify(
      exported.one('AWS::CloudWatch::Dashboard', () => true).properties.DashboardBody,
    );
    for (const { name, kind } of METRICS) {
      expect([name, body.includes(name)]).toEqual([name, kind !== 'histogram']);
    }
  });
});
