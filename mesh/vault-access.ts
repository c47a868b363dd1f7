import type { Mesh, VaultAccess } from './definition.ts';

/** What the mesh gives a node or a function of the vault; undefined where it gives nothing. */
export function vaultAccessOf(mesh: Mesh, name: string): VaultAccess | undefined {
  return mesh.virtualNodes[name]?.vaultAccess ?? mesh.functions[name]?.vaultAccess;
}

/** Everybody who may have access to the vault, by name: nodes first, then functions. */
export function vaultCallers(mesh: Mesh): string[] {
  return [...Object.keys(mesh.virtualNodes), ...Object.keys(mesh.functions)];
}

/** All that the mesh gives of the vault, to whomever. */
export function vaultAccesses(mesh: Mesh): VaultAccess[] {
  return vaultCallers(mesh).flatMap((name) => vaultAccessOf(mesh, name) ?? []);
}

/** Every tenant that anybody may touch. */
export function vaultTenants(mesh: Mesh): Set<string> {
  return new Set(vaultAccesses(mesh).flatMap(({ tenants }) => tenants));
}
