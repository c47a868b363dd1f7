import { describe, expect, it } from '@jest/globals';
import { emfMetrics } from '../../renewal/adapters/emf-metrics.ts';
import type { CertificateMeasures } from '../../renewal/ports.ts';

const OWNER = { mesh: 'tokenmesh', node: 'order', role: 'client' } as const;

function lineOf(measures: CertificateMeasures, owner?: typeof OWNER): Record<string, unknown> {
  const lines: string[] = [];
  const clock = (): Date => new Date(1_700_000_000_000);
  emfMetrics({ meshName: 'tokenmesh', clock, print: (line) => lines.push(line) }).record(measures, owner);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('a metric in CloudWatch’s embedded format', () => {
  it('has its values beside the names, units and dimensions that CloudWatch reads', () => {
    expect(lineOf({ daysLeft: 44, rotationLagSeconds: 12, failures: 0 }, OWNER)).toEqual({
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'tokenmesh/certificates',
            Dimensions: [['Mesh', 'Node', 'Role'], ['Mesh']],
            Metrics: [
              { Name: 'DaysLeft', Unit: 'Count' },
              { Name: 'RotationLagSeconds', Unit: 'Seconds' },
              { Name: 'Failures', Unit: 'Count' },
            ],
          },
        ],
      },
      ...{ Mesh: 'tokenmesh', Node: 'order', Role: 'client' },
      ...{ DaysLeft: 44, RotationLagSeconds: 12, Failures: 0 },
    });
  });

  it('counts a failure that has no owner for the mesh, and says nothing that it does not know', () => {
    const line = lineOf({ failures: 1 });
    expect(line).toMatchObject({
      Mesh: 'tokenmesh',
      Failures: 1,
      _aws: { CloudWatchMetrics: [{ Dimensions: [['Mesh']], Metrics: [{ Name: 'Failures' }] }] },
    });
    expect(Object.keys(line).toSorted()).toEqual(['Failures', 'Mesh', '_aws']);
  });
});
