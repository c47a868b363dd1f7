import { TokenmeshError } from '../errors/error.ts';
import type { Listener, Mesh, Operation, VaultAccess } from './definition.ts';
import { certificateSourceProblems, DEPLOYED_LIFE, type LifeBounds } from './certificate-source.ts';
import { edgesOf, listenerMode, memberOf } from './edges.ts';
import { memberNames, nodeNames } from './identity.ts';
import { kindOf, LABEL, list, type MeshProblem } from './mesh-problem.ts';
import { SECRET_DELIVERIES } from './secret-delivery.ts';
import { gatewayProblems } from './validate-gateway.ts';
import { nameProblems, repetitionProblems } from './validate-names.ts';
import { vaultAccessOf, vaultCallers } from './vault-access.ts';
import { isVaultRate, VAULT_OPERATIONS } from './vault-rates.ts';

export type { MeshProblem };

/** `/segment/{parameter}/...`: what {@link Operation.path} may be. */
const PATH_TEMPLATE = /^(\/([A-Za-z0-9._-]+|\{[A-Za-z]+\}))+$/;

/**
 * Every problem of a definition at once; none means that every target can render it.
 *
 * @param life - How long a short-lived certificate may live where the mesh is to run.
 */
export function validateMesh(definition: Mesh, life: LifeBounds = DEPLOYED_LIFE): MeshProblem[] {
  const mesh = withOwnNamesAlone(definition);
  return [
    ...(mesh.unresolved ?? []),
    ...nameProblems(mesh),
    ...repetitionProblems(mesh),
    ...serviceProblems(mesh),
    ...edgeProblems(mesh),
    ...functionProblems(mesh),
    ...[...listenersOf(mesh)].flatMap(([path, listener]) => listenerProblems(mesh, path, listener)),
    ...gatewayRouteProblems(mesh),
    ...gatewayProblems(mesh),
    ...vaultAccessProblems(mesh),
    ...certificateSourceProblems(mesh, life),
    ...secretDeliveryProblems(mesh),
    ...boundProblems(mesh),
    ...revocationProblems(mesh),
  ];
}

/** Under the names that every object of JavaScript has, such as `constructor`, nothing is found. */
function withOwnNamesAlone(mesh: Mesh): Mesh {
  return {
    ...mesh,
    virtualGateways: own(mesh.virtualGateways),
    virtualNodes: own(mesh.virtualNodes),
    functions: own(mesh.functions),
    virtualServices: own(mesh.virtualServices),
    externalServices: own(mesh.externalServices),
  };
}

function own<Each>(members: Readonly<Record<string, Each>>): Readonly<Record<string, Each>> {
  return Object.assign(Object.create(null) as Record<string, Each>, members);
}

/** @throws {TokenmeshError} `ERR_MESH_INVALID` with every problem, a line each. */
export function assertValidMesh(mesh: Mesh, life: LifeBounds = DEPLOYED_LIFE): void {
  const problems = validateMesh(mesh, life);
  if (problems.length === 0) return;
  throw new TokenmeshError({
    code: 'ERR_MESH_INVALID',
    message: problems.map((each) => `${each.path}: ${each.message}; ${each.remedy}`).join('\n'),
    remedy: 'correct the definition of the mesh',
  });
}

function secretDeliveryProblems(mesh: Mesh): MeshProblem[] {
  const members = Object.entries({ ...mesh.virtualGateways, ...mesh.virtualNodes });
  const said = [
    ['secretDelivery', mesh.secretDelivery] as const,
    ...members.map(
      ([name, member]) => [`${kindOf(mesh, name)}.${name}.secretDelivery`, member.secretDelivery] as const,
    ),
  ];
  return said
    .filter(([, delivery]) => delivery !== undefined && !SECRET_DELIVERIES.includes(delivery))
    .map(([path, delivery]) => ({
      path,
      message: `unknown delivery "${delivery}": expected one of ${list(SECRET_DELIVERIES)}`,
      remedy: 'leave it out for sds, or say file for an Envoy that takes files alone',
    }));
}

function serviceProblems(mesh: Mesh): MeshProblem[] {
  const nodes = Object.keys(mesh.virtualNodes);
  const providers = Object.entries(mesh.virtualServices)
    .filter(([, service]) => !nodes.includes(service.provider))
    .map(([name, service]) => ({
      path: `virtualServices.${name}.provider`,
      message: `unknown virtual node "${service.provider}": expected one of ${list(nodes)}`,
      remedy: 'correct the name, or declare the node',
    }));
  const twice = Object.keys(mesh.externalServices)
    .filter((name) => name in mesh.virtualServices)
    .map((name) => ({
      path: `externalServices.${name}`,
      message: 'expected a name of its own, got the name of a virtual service',
      remedy: 'rename one of the two: a backend is found by its name',
    }));
  return [...providers, ...twice];
}

function edgeProblems(mesh: Mesh): MeshProblem[] {
  const known = [...Object.keys(mesh.virtualServices), ...Object.keys(mesh.externalServices)];
  return edgesOf(mesh).flatMap((edge) => {
    const path = `${kindOf(mesh, edge.from)}.${edge.from}.backends.${edge.virtualService}`;
    if (!known.includes(edge.virtualService)) {
      return [
        {
          path,
          message: `unknown virtual service "${edge.virtualService}": expected one of ${list(known)}`,
          remedy: 'correct the name, or declare it',
        },
      ];
    }
    if (edge.virtualService in mesh.externalServices) {
      if (edge.mode === 'one-way') return [];
      return [
        {
          path: `${path}.clientPolicy.tls`,
          message: `expected one-way towards an external service, got ${edge.mode}`,
          remedy: 'set one-way: the other side is not of the mesh and must prove itself',
        },
      ];
    }
    const provider = edge.to === undefined ? undefined : mesh.virtualNodes[edge.to];
    if (provider === undefined || agrees(provider.listener, edge.mode)) return [];
    return [
      {
        path: `${path}.clientPolicy.tls`,
        message: `expected ${expectedModes(provider.listener)} for the listener of "${edge.to}", got ${edge.mode}`,
        remedy: 'change the client policy, or the TLS of that listener',
      },
    ];
  });
}

/** A function proves itself, so what it calls has to ask for that. */
function functionProblems(mesh: Mesh): MeshProblem[] {
  return Object.entries(mesh.functions).flatMap(([name, { backends }]) =>
    backends
      .filter((backend) => {
        const provider = mesh.virtualNodes[mesh.virtualServices[backend]?.provider ?? ''];
        if (provider === undefined) return !(backend in mesh.virtualServices);
        return listenerMode(provider.listener) !== 'mtls';
      })
      .map((backend) => ({
        path: `functions.${name}.backends.${backend}`,
        message: `expected a virtual service whose listener takes mutual TLS, got ${JSON.stringify(backend)}`,
        remedy: 'correct the name, or validate client certificates on its listener',
      })),
  );
}

function agrees(listener: Listener, mode: string): boolean {
  return mode === listenerMode(listener) || (mode === 'none' && listener.tls.mode === 'PERMISSIVE');
}

function expectedModes(listener: Listener): string {
  const mode = listenerMode(listener);
  return listener.tls.mode === 'PERMISSIVE' ? `${mode} or none` : mode;
}

function* listenersOf(mesh: Mesh): Generator<[string, Pick<Listener, 'port' | 'tls' | 'operations'>]> {
  for (const name of nodeNames(mesh)) {
    const member = memberOf(mesh, name);
    if (member !== undefined) yield [`${kindOf(mesh, name)}.${name}.listener`, member.listener];
  }
}

function listenerProblems(
  mesh: Mesh,
  path: string,
  listener: Pick<Listener, 'port' | 'tls' | 'operations'>,
): MeshProblem[] {
  const problems = listener.operations.flatMap((operation, index) =>
    operationProblems(mesh, `${path}.operations[${index}]`, operation, listenerMode(listener) === 'mtls'),
  );
  if (!Number.isInteger(listener.port) || listener.port < 1 || listener.port > 65_535) {
    problems.push({
      path: `${path}.port`,
      message: `expected 1 to 65535, got ${listener.port}`,
      remedy: 'choose a free port',
    });
  }
  if (listener.tls.mode === 'DISABLED' && listener.tls.clientValidation !== undefined) {
    problems.push({
      path: `${path}.tls.clientValidation`,
      message: 'expected none where TLS is disabled',
      remedy: 'set the mode to STRICT, or drop the validation',
    });
  }
  return problems;
}

function operationProblems(
  mesh: Mesh,
  path: string,
  operation: Operation,
  callersProveThemselves: boolean,
): MeshProblem[] {
  const problems: MeshProblem[] = [];
  if (!PATH_TEMPLATE.test(operation.path)) {
    problems.push({
      path: `${path}.path`,
      message: `expected a path template such as /v1/tokens/{token}, got ${JSON.stringify(operation.path)}`,
      remedy: 'begin with a slash, end without one, and put a parameter in braces',
    });
  }
  if (operation.callers === 'anyone') return problems;
  if (!callersProveThemselves) {
    problems.push({
      path: `${path}.callers`,
      message: 'expected "anyone": callers of this listener have no identity',
      remedy: 'validate client certificates on the listener, or open the operation to anyone',
    });
  }
  if (operation.callers === 'mesh') return problems;
  if (!Array.isArray(operation.callers)) {
    problems.push({
      path: `${path}.callers`,
      message: `expected "anyone", "mesh" or a list of names, got ${JSON.stringify(operation.callers)}`,
      remedy: 'put the names of the callers in a list, or say "mesh" for all members',
    });
    return problems;
  }
  const names = memberNames(mesh);
  for (const caller of operation.callers.filter((each) => !names.includes(each))) {
    problems.push({
      path: `${path}.callers`,
      message: `unknown caller "${caller}": expected one of ${list(names)}`,
      remedy: 'correct the name, or declare the node',
    });
  }
  return problems;
}

function gatewayRouteProblems(mesh: Mesh): MeshProblem[] {
  return Object.entries(mesh.virtualGateways).flatMap(([name, gateway]) => {
    const backends = gateway.backends.map((backend) => backend.virtualService);
    return gateway.listener.operations.flatMap((operation, index) =>
      backends.includes(operation.virtualService)
        ? []
        : [
            {
              path: `virtualGateways.${name}.listener.operations[${index}].virtualService`,
              message: `expected one of its backends ${list(backends)}, got "${operation.virtualService}"`,
              remedy: 'add the backend, or correct the name',
            },
          ],
    );
  });
}

function vaultAccessProblems(mesh: Mesh): MeshProblem[] {
  return vaultCallers(mesh).flatMap((name) => {
    const access = vaultAccessOf(mesh, name);
    if (access === undefined) return [];
    const path = `${kindOf(mesh, name)}.${name}.vaultAccess`;
    const tenants = access.tenants.length > 0 ? [] : [emptyTenants(path)];
    const wrong = access.tenants.filter((tenant) => !LABEL.test(tenant));
    return [
      ...tenants,
      ...wrong.map((tenant) => ({
        path: `${path}.tenants`,
        message: `expected a DNS label, got ${JSON.stringify(tenant)}`,
        remedy: 'use lower-case letters, digits and hyphens',
      })),
      ...rateProblems(`${path}.limits`, access),
    ];
  });
}

function rateProblems(path: string, { limits }: VaultAccess): MeshProblem[] {
  return Object.entries(limits ?? {})
    .filter(([operation, rate]) => !(VAULT_OPERATIONS as string[]).includes(operation) || !isVaultRate(rate))
    .map(([operation]) => ({
      path: `${path}.${operation}`,
      message: `expected one of ${list(VAULT_OPERATIONS)} with perSecond above 0 and a whole burst of 1 or more`,
      remedy: 'correct the limit, or leave it out for the default',
    }));
}

function emptyTenants(path: string): MeshProblem {
  return {
    path: `${path}.tenants`,
    message: 'expected at least one tenant, got none',
    remedy: 'name the tenants it may touch',
  };
}

const AFTER_NEXT_UPDATE: readonly string[] = ['keep', 'refuse'];

function revocationProblems({ revocation }: Mesh): MeshProblem[] {
  const { afterNextUpdate, alarmBeforeNextUpdateHours } = revocation;
  const policy = {
    path: 'revocation.afterNextUpdate',
    message: `expected one of ${list(AFTER_NEXT_UPDATE)}, got ${JSON.stringify(afterNextUpdate)}`,
    remedy: 'say what is done once a revocation list is past its nextUpdate',
  };
  const alarm = {
    path: 'revocation.alarmBeforeNextUpdateHours',
    message: `expected more than 0 hours, got ${alarmBeforeNextUpdateHours}`,
    remedy: 'leave a person the time to look before the list ends',
  };
  return [
    ...(AFTER_NEXT_UPDATE.includes(afterNextUpdate) ? [] : [policy]),
    ...(alarmBeforeNextUpdateHours > 0 ? [] : [alarm]),
  ];
}

function boundProblems(mesh: Mesh): MeshProblem[] {
  return (['maxConnectionDurationSeconds', 'requestTimeoutSeconds'] as const)
    .filter((field) => !(mesh[field] > 0))
    .map((field) => ({
      path: field,
      message: `expected more than 0 seconds, got ${mesh[field]}`,
      remedy: 'set a bound',
    }));
}
