import { describe, expect, it } from '@jest/globals';
import { emfWriter } from '../../../sidecar/envoy/emf.ts';

const NOW = Date.UTC(2026, 0, 1);

interface Line {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

function writer(texts: readonly string[]): { write: () => Promise<void>; lines: Line[] } {
  const lines: Line[] = [];
  let turn = 0;
  const write = emfWriter({
    namespace: 'tokenmesh',
    node: 'order',
    scrape: async () => await Promise.resolve([texts[turn++] ?? '']),
    write: (line) => lines.push(JSON.parse(line) as Line),
    now: () => NOW,
  });
  return { write, lines };
}

const rbac = (count: number, prefix = 'inbound'): string =>
  `# TYPE envoy_http_rbac_denied counter\nenvoy_http_rbac_denied{envoy_http_conn_manager_prefix="${prefix}"} ${count}\n`;

describe('the metrics for CloudWatch', () => {
  it('are gauges as they are, under namespace, node and labels, with a unit', async () => {
    const { write, lines } = writer([
      '# TYPE tokenmesh_certificate_behind gauge\ntokenmesh_certificate_behind{role="client",node="order"} 1\n',
    ]);
    await write();
    expect(lines).toMatchObject([{ node: 'order', role: 'client', tokenmesh_certificate_behind: 1 }]);
    const [{ Namespace, Dimensions, Metrics } = { Namespace: '', Dimensions: [], Metrics: [] }] =
      lines[0]?._aws.CloudWatchMetrics ?? [];
    expect({ Namespace, Dimensions, Metrics }).toEqual({
      Namespace: 'tokenmesh',
      Dimensions: [['service', 'node', 'role']],
      Metrics: [{ Name: 'tokenmesh_certificate_behind', Unit: 'None' }],
    });
  });

  it('are what was added to a counter, from the second time on, and all of it after a new start', async () => {
    const { write, lines } = writer([rbac(7), rbac(9), rbac(9), rbac(4)]);
    for (let turn = 0; turn < 4; turn += 1) await write();
    expect(lines.map((line) => line['envoy_http_rbac_denied'])).toEqual([2, 0, 4]);
  });

  it('are all of a counter that began after its source had answered once: most labels begin with their first count', async () => {
    const used = (count: number): string =>
      `# TYPE tokenmesh_honey_token_uses_total counter\ntokenmesh_honey_token_uses_total{node="paybill",operation="detokenize"} ${count}\n`;
    const { write, lines } = writer(['', rbac(7), rbac(7) + used(1), rbac(7) + used(3)]);
    for (let turn = 0; turn < 4; turn += 1) await write();
    const uses = lines.map((line) => line['tokenmesh_honey_token_uses_total']);
    expect(uses.filter((each) => each !== undefined)).toEqual([1, 2]);
    expect(lines.map((line) => line['envoy_http_rbac_denied']).filter((each) => each !== undefined)).toEqual([
      0, 0,
    ]);
  });

  it('are the seconds that are left until a point in time, and nothing where there is none', async () => {
    const at = (seconds: number): string =>
      `# TYPE tokenmesh_crl_next_update_seconds gauge\ntokenmesh_crl_next_update_seconds{hierarchy="clients",authority="a"} ${seconds}\n`;
    const { write, lines } = writer([at(NOW / 1000 + 90), at(0)]);
    await write();
    await write();
    expect(lines.map((line) => line['tokenmesh_crl_next_update_seconds'])).toEqual([90]);
  });

  it('are those of the list and of its listener alone', async () => {
    const other = '# TYPE envoy_server_uptime gauge\nenvoy_server_uptime{} 5\n';
    const { write, lines } = writer([
      rbac(1, 'egress') + other,
      rbac(2, 'egress') + other,
      'not metrics',
      '',
    ]);
    for (let turn = 0; turn < 4; turn += 1) await write();
    expect(lines).toEqual([]);
  });
});
