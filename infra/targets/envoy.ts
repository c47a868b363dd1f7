import { Duration } from 'aws-cdk-lib';
import { renderSource } from '../../mesh/certificate-source.ts';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { PRIVATE_DIRECTORY, taskPlacement } from '../../mesh/envoy/task-placement.ts';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import { sidecarProgram, type Program } from '../../sidecar/node-programs.ts';
import { entryPointOf, healthCommand, sidecarImage } from '../constructs/images.ts';
import type { MeshTarget } from './target.ts';

/** How often a sidecar writes its metrics: what alarms and dashboards are made of. */
const EMF_SECONDS = 60;

/** Of certificates that are there, and of Envoy, which is up in less than a second. */
const START_PERIOD = Duration.seconds(120);

/** What other stacks make, and the placement of a node names. */
export interface MadeElsewhere {
  /** Of the CAs that sign for short lives, where there are any. */
  readonly authorities: Readonly<Record<Hierarchy, string>> | undefined;
  /** Where a gateway authenticates its callers. */
  readonly tokenIssuer: TokenIssuer | undefined;
}

/** The sidecar's program in a task: Envoy, and the agent that is its parent. */
export function taskSidecar(
  mesh: Mesh,
  nodeName: string,
  { authorities, tokenIssuer }: MadeElsewhere,
): Program {
  return sidecarProgram({
    nodeName,
    placement: JSON.stringify(taskPlacement(mesh, nodeName, tokenIssuer)),
    runDirectory: PRIVATE_DIRECTORY,
    agentSocket: `${PRIVATE_DIRECTORY}/agent.sock`,
    source: renderSource(mesh, nodeName, authorities),
    emfSeconds: EMF_SECONDS,
  });
}

/**
 * Envoy without App Mesh: each sidecar renders its whole bootstrap from the definition, in the task.
 * Nothing of the definition is left out.
 */
export function envoyTarget(mesh: Mesh, made: MadeElsewhere): MeshTarget {
  return {
    name: 'envoy',
    proxyOf(nodeName) {
      const program = taskSidecar(mesh, nodeName, made);
      return {
        image: sidecarImage(),
        entryPoint: entryPointOf(program),
        environment: program.environment,
        healthCheck: {
          command: healthCommand('sidecar/envoy/healthcheck.ts'),
          interval: Duration.seconds(10),
          timeout: Duration.seconds(5),
          retries: 3,
          startPeriod: START_PERIOD,
        },
      };
    },
    rightsOf: () => [],
    gaps: [],
  };
}
