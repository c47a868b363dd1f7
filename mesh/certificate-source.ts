/**
 * Where a node's certificates come from: chosen for each node, as data.
 *
 * `acm-export`, the default: ACM makes key and certificate, and an exporter brings both to the task in
 * a secret. `short-lived`: the task makes its key itself and has a private CA sign it for hours; the
 * key never leaves the task.
 *
 * @module
 */

import type { CertificateRole, CertificateSourceChoice, Hierarchy, Mesh } from './definition.ts';
import { CERTIFICATE_ROLES, hierarchyOf } from './identity.ts';
import type { MeshProblem } from './mesh-problem.ts';

export interface LifeBounds {
  readonly atLeastSeconds: number;
  readonly atMostSeconds: number;
}

/** A CA of mode SHORT_LIVED_CERTIFICATE signs for seven days at most (AWS Private CA, "CA modes"). */
const SEVEN_DAYS_SECONDS = 604_800;

/** Below a day each certificate costs its price more often than a day, and an outage of the CA a day's work. */
export const DEPLOYED_LIFE: LifeBounds = { atLeastSeconds: 86_400, atMostSeconds: SEVEN_DAYS_SECONDS };

/** A local run may watch a renewal happen. Below this a third of the life is no time to try again in. */
export const LOCAL_LIFE: LifeBounds = { atLeastSeconds: 15, atMostSeconds: SEVEN_DAYS_SECONDS };

const ACM_EXPORT: CertificateSourceChoice = { kind: 'acm-export' };

/** A gateway's names are more than its identity, and only a request to ACM says them: it takes the default. */
export function certificateSourceOf(mesh: Mesh, nodeName: string): CertificateSourceChoice {
  return mesh.virtualNodes[nodeName]?.certificateSource ?? ACM_EXPORT;
}

/** Whether any node needs the CAs that sign for short lives. */
export function hasShortLived(mesh: Mesh): boolean {
  return Object.keys(mesh.virtualNodes).some(
    (nodeName) => certificateSourceOf(mesh, nodeName).kind === 'short-lived',
  );
}

/** How many tasks may ask those CAs for certificates, counted over the whole mesh. */
export function shortLivedTasks(mesh: Mesh): number {
  return Object.keys(mesh.virtualNodes)
    .map((nodeName) => certificateSourceOf(mesh, nodeName))
    .reduce((sum, source) => sum + (source.kind === 'short-lived' ? source.tasksAtMost : 0), 0);
}

/** What a task has to know of its certificates' source; the environment of the sidecar carries it as JSON. */
export type RenderedSource =
  | { readonly kind: 'acm-export' }
  | {
      readonly kind: 'short-lived';
      readonly lifeSeconds: number;
      /** Of all nodes together: they share the budget of calls. */
      readonly fleetTasks: number;
      /** ARNs of the CAs that sign, of mode SHORT_LIVED_CERTIFICATE. */
      readonly authorities: Readonly<Record<CertificateRole, string>>;
    };

/**
 * Renders a node's source for its sidecar.
 *
 * @param authorities - ARNs by hierarchy; only there where a node of the mesh asks for short lives.
 */
export function renderSource(
  mesh: Mesh,
  nodeName: string,
  authorities: Readonly<Record<Hierarchy, string>> | undefined,
): RenderedSource {
  const source = certificateSourceOf(mesh, nodeName);
  if (source.kind === 'acm-export' || authorities === undefined) return { kind: 'acm-export' };
  const [client, server] = CERTIFICATE_ROLES.map((role) => authorities[hierarchyOf(role)]);
  return {
    kind: 'short-lived',
    lifeSeconds: source.lifeSeconds,
    fleetTasks: shortLivedTasks(mesh),
    authorities: { client: client ?? '', server: server ?? '' },
  };
}

/** What is wrong with the choices of a mesh. */
export function certificateSourceProblems(mesh: Mesh, bounds: LifeBounds): MeshProblem[] {
  return Object.entries(mesh.virtualNodes).flatMap(([name, { certificateSource }]) => {
    if (certificateSource === undefined || certificateSource.kind === 'acm-export') return [];
    const path = `virtualNodes.${name}.certificateSource`;
    if (certificateSource.kind !== 'short-lived') return [unknownKind(path, certificateSource)];
    const { lifeSeconds, tasksAtMost } = certificateSource;
    return [
      ...(isWithin(lifeSeconds, bounds) ? [] : [wrongLife(path, lifeSeconds, bounds)]),
      ...(Number.isSafeInteger(tasksAtMost) && tasksAtMost >= 1 ? [] : [wrongTasks(path, tasksAtMost)]),
    ];
  });
}

function isWithin(lifeSeconds: number, { atLeastSeconds, atMostSeconds }: LifeBounds): boolean {
  return Number.isSafeInteger(lifeSeconds) && lifeSeconds >= atLeastSeconds && lifeSeconds <= atMostSeconds;
}

function unknownKind(path: string, source: { readonly kind: unknown }): MeshProblem {
  return {
    path: `${path}.kind`,
    message: `expected acm-export or short-lived, got ${JSON.stringify(source.kind)}`,
    remedy: 'correct the kind, or leave the source out for acm-export',
  };
}

function wrongLife(path: string, lifeSeconds: number, bounds: LifeBounds): MeshProblem {
  return {
    path: `${path}.lifeSeconds`,
    message: `expected whole seconds from ${bounds.atLeastSeconds} to ${bounds.atMostSeconds}, got ${lifeSeconds}`,
    remedy:
      'choose a life of 24 hours (86400) to 7 days (604800): no CA of short-lived mode signs for longer',
  };
}

function wrongTasks(path: string, tasksAtMost: number): MeshProblem {
  return {
    path: `${path}.tasksAtMost`,
    message: `expected a whole number of 1 or more, got ${tasksAtMost}`,
    remedy: 'say how many tasks of this node may run at once: their first calls to the CA are spread by it',
  };
}
