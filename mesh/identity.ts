import type { CertificateRole, Hierarchy, Mesh } from './definition.ts';

/** The DNS name that a node proves with its certificate: `<node>.<mesh>.internal`. ACM issues DNS names only. */
export function identityOf(mesh: Pick<Mesh, 'name'>, nodeName: string): string {
  return `${nodeName}.${mesh.name}.internal`;
}

/** The node or function that an identity names, or undefined where it names none of this mesh. */
export function nodeOfIdentity(mesh: Mesh, identity: string): string | undefined {
  return memberNames(mesh).find((nodeName) => identityOf(mesh, nodeName) === identity);
}

/** Every node that has an Envoy: gateways first, then nodes, in the order of the definition. */
export function nodeNames(mesh: Mesh): string[] {
  return [...Object.keys(mesh.virtualGateways), ...Object.keys(mesh.virtualNodes)];
}

/** Every name of the mesh: those with an Envoy, then its functions, which have a client certificate alone. */
export function memberNames(mesh: Mesh): string[] {
  return [...nodeNames(mesh), ...Object.keys(mesh.functions)];
}

/** Every node has a certificate for each side: what it calls with, and what it listens with. */
export const CERTIFICATE_ROLES: readonly CertificateRole[] = ['client', 'server'];

/** The roles of the certificates that a member has: a function calls, and nobody calls it. */
export function certificateRolesOf(
  mesh: Pick<Mesh, 'functions'>,
  memberName: string,
): readonly CertificateRole[] {
  return memberName in mesh.functions ? ['client'] : CERTIFICATE_ROLES;
}

export const HIERARCHIES: readonly Hierarchy[] = ['clients', 'servers'];

export function hierarchyOf(role: CertificateRole): Hierarchy {
  return role === 'client' ? 'clients' : 'servers';
}
