import type { Mesh } from './definition.ts';
import { memberOf } from './edges.ts';
import { nodeNames } from './identity.ts';
import { kindOf, LABEL, list, type MeshProblem } from './mesh-problem.ts';

/** The one DNS label that is found in an object which has no such member. */
const TAKEN_NAME = 'constructor';

/** What is wrong with the names of members and services: they become certificates, hosts and clusters. */
export function nameProblems(mesh: Mesh): MeshProblem[] {
  const named: [string, string][] = [
    ['name', mesh.name],
    ...Object.keys(mesh.virtualGateways).map((name): [string, string] => [`virtualGateways.${name}`, name]),
    ...Object.keys(mesh.virtualNodes).map((name): [string, string] => [`virtualNodes.${name}`, name]),
    ...Object.keys(mesh.functions).map((name): [string, string] => [`functions.${name}`, name]),
    ...Object.keys(mesh.virtualServices).map((name): [string, string] => [`virtualServices.${name}`, name]),
  ];
  const shapes = named
    .filter(([, name]) => !LABEL.test(name))
    .map(([path, name]) => ({
      path,
      message: `expected a DNS label, got ${JSON.stringify(name)}`,
      remedy: 'use lower-case letters, digits and hyphens, 63 at most, beginning with a letter',
    }));
  const taken = named
    .filter(([, name]) => name === TAKEN_NAME)
    .map(([path]) => ({
      path,
      message: `expected another name than "${TAKEN_NAME}", under which every object of JavaScript has something`,
      remedy: 'rename it',
    }));
  const twice = Object.keys(mesh.virtualNodes)
    .filter((name) => name in mesh.virtualGateways)
    .map((name) => ({
      path: `virtualNodes.${name}`,
      message: 'expected a name of its own, got the name of a virtual gateway',
      remedy: 'rename one of the two: a name is an identity',
    }));
  const twiceCalled = Object.keys(mesh.functions)
    .filter((name) => name in mesh.virtualGateways || name in mesh.virtualNodes)
    .map((name) => ({
      path: `functions.${name}`,
      message: 'expected a name of its own, got the name of a gateway or node',
      remedy: 'rename one of the two: a name is an identity',
    }));
  return [...shapes, ...taken, ...twice, ...twiceCalled];
}

/** Clusters that every bootstrap has for itself. */
const RESERVED_SERVICES = ['app', 'peer-check', 'token-keys', 'traces'];

/** Names that meet others of their kind. */
export function repetitionProblems(mesh: Mesh): MeshProblem[] {
  const services = [...Object.keys(mesh.virtualServices), ...Object.keys(mesh.externalServices)];
  const reserved = services
    .filter((name) => RESERVED_SERVICES.includes(name))
    .map((name) => ({
      path: `virtualServices.${name}`,
      message: `expected another name than ${list(RESERVED_SERVICES)}, which clusters of every Envoy have`,
      remedy: 'rename the service',
    }));
  return [...reserved, ...nodeNames(mesh).flatMap((name) => repetitionsOf(mesh, name))];
}

function repetitionsOf(mesh: Mesh, nodeName: string): MeshProblem[] {
  const member = memberOf(mesh, nodeName);
  const path = `${kindOf(mesh, nodeName)}.${nodeName}`;
  const operations = repeated((member?.listener.operations ?? []).map((each) => each.name));
  const backends = repeated((member?.backends ?? []).map((each) => each.virtualService));
  return [
    ...operations.map((name) => ({
      path: `${path}.listener.operations`,
      message: `expected each name once, got "${name}" again`,
      remedy: 'rename one: a policy is found by the name of its operation',
    })),
    ...backends.map((name) => ({
      path: `${path}.backends`,
      message: `expected each backend once, got "${name}" again`,
      remedy: 'drop one of them',
    })),
  ];
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
