import type { RenewalMetrics } from '../ports.ts';

const NAMESPACE = 'tokenmesh/certificates';

export interface EmfParts {
  readonly meshName: string;
  readonly clock: () => Date;
  /** Takes one line of standard output, which CloudWatch Logs reads metrics from. */
  readonly print: (line: string) => void;
}

/**
 * Metrics as lines of the log, in CloudWatch's embedded metric format: no call of AWS, and nothing to wait for.
 *
 * `DaysLeft` and `RotationLagSeconds` for each node and role, `Failures` beside them and for the mesh as a
 * whole: a failure that came before the certificate's owner was known counts there alone.
 */
export function emfMetrics({ meshName, clock, print }: EmfParts): RenewalMetrics {
  return {
    record({ daysLeft, rotationLagSeconds, failures }, owner) {
      const metrics = [
        ...(daysLeft === undefined ? [] : [{ Name: 'DaysLeft', Unit: 'Count' }]),
        ...(rotationLagSeconds === undefined ? [] : [{ Name: 'RotationLagSeconds', Unit: 'Seconds' }]),
        { Name: 'Failures', Unit: 'Count' },
      ];
      const dimensions = owner === undefined ? [['Mesh']] : [['Mesh', 'Node', 'Role'], ['Mesh']];
      const line = {
        _aws: {
          Timestamp: clock().getTime(),
          CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: dimensions, Metrics: metrics }],
        },
        Mesh: meshName,
        ...(owner === undefined ? {} : { Node: owner.node, Role: owner.role }),
        ...(daysLeft === undefined ? {} : { DaysLeft: daysLeft }),
        ...(rotationLagSeconds === undefined ? {} : { RotationLagSeconds: rotationLagSeconds }),
        Failures: failures,
      };
      print(JSON.stringify(line));
    },
  };
}
