import type { Mesh, MeshProblem } from './definition.ts';

export type { MeshProblem };

/** A DNS label (RFC 1035 section 2.3.1), since names become part of certificates and hosts. */
export const LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The part of the definition that holds a member. */
export function kindOf(mesh: Mesh, nodeName: string): string {
  if (nodeName in mesh.virtualGateways) return 'virtualGateways';
  return nodeName in mesh.functions ? 'functions' : 'virtualNodes';
}

export function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
