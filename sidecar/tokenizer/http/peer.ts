import type { Mesh } from '../../../mesh/definition.ts';
import { nodeOfIdentity } from '../../../mesh/identity.ts';
import { vaultAccessOf } from '../../../mesh/vault-access.ts';
import { TokenmeshError } from '../../../errors/error.ts';
import { operationDenied } from '../core/access.ts';
import type { Caller } from '../core/vault.ts';

/** Who calls, as the listener's Envoy vouches for it. */
export interface Peer {
  readonly identity: string;
  readonly node: string;
}

/**
 * @param header - What Envoy wrote from the certificate that it verified. Only Envoy reaches the
 *   socket, and it overwrites whatever the caller sent.
 * @throws {TokenmeshError} `ERR_IDENTITY_MISSING`, `ERR_IDENTITY_UNKNOWN`
 */
export function peerOf(mesh: Mesh, header: string | undefined): Peer {
  if (header === undefined || header === '') {
    throw new TokenmeshError({
      code: 'ERR_IDENTITY_MISSING',
      message: 'the request has no identity: expected one from the certificate that Envoy verified, got none',
      remedy: "call through the caller's own Envoy, over mutual TLS",
    });
  }
  const node = nodeOfIdentity(mesh, header);
  if (node !== undefined) return { identity: header, node };
  throw new TokenmeshError({
    code: 'ERR_IDENTITY_UNKNOWN',
    message: `the identity is not of this mesh: expected <node>.${mesh.name}.internal for a node of the definition, got another`,
    remedy: 'add the node to the mesh definition, or use the certificate of one',
  });
}

/** @throws {TokenmeshError} `ERR_OPERATION_DENIED` for a node that the mesh grants nothing of the vault. */
export function callerOf(mesh: Mesh, { identity, node }: Peer): Caller {
  const access = vaultAccessOf(mesh, node);
  if (access === undefined) throw operationDenied({ identity }, 'use');
  return { identity, access };
}
