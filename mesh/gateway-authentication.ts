import type { GatewayAuthentication, Mesh } from './definition.ts';

/** @returns Undefined where no gateway of the mesh authenticates its callers. */
export function authenticationOf(mesh: Mesh): GatewayAuthentication | undefined {
  return Object.values(mesh.virtualGateways).find((gateway) => gateway.authentication !== undefined)
    ?.authentication;
}

/** Every scope that an operation of a gateway asks for. */
export function scopesOf(mesh: Mesh): string[] {
  const operations = Object.values(mesh.virtualGateways).flatMap(({ listener }) => listener.operations);
  return [...new Set(operations.flatMap(({ scope }) => scope ?? []))];
}
