/**
 * How Envoy learns a node's secrets: from its sidecar over a Unix socket, or from files that it watches.
 * Either way a secret is the same message, `envoy.extensions.transport_sockets.tls.v3.Secret`.
 *
 * @module
 */

import type { CertificateRole, Hierarchy, Mesh } from '../definition.ts';
import { secretDeliveryOf } from '../secret-delivery.ts';
import type { EnvoyJson, Placement } from './types.ts';

/** The names of a node's secrets: a certificate for each role, a trust bundle for each hierarchy. */
export type SdsSecretName = CertificateRole | `trust-${Hierarchy}`;

export const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

export function trustSecret(hierarchy: Hierarchy): SdsSecretName {
  return `trust-${hierarchy}`;
}

export interface TlsCertificateSecret {
  /** Leaf, then intermediates: PEM. */
  readonly certificateChain: string;
  /** PKCS #8, still encrypted: PEM. */
  readonly encryptedPrivateKey: string;
  readonly passphrase: string;
}

/** One secret, in the JSON form of its message. */
export interface SdsSecret extends EnvoyJson {
  readonly name: SdsSecretName;
}

export function tlsCertificateSecret(name: SdsSecretName, material: TlsCertificateSecret): SdsSecret {
  return {
    name,
    tls_certificate: {
      certificate_chain: { inline_string: material.certificateChain },
      private_key: { inline_string: material.encryptedPrivateKey },
      password: { inline_string: material.passphrase },
    },
  };
}

/**
 * @param crlsPem - Where given, every CA of every chain must have its list among them, and none may be
 *   past its nextUpdate: Envoy refuses whoever is issued by a CA whose list is missing or stale.
 */
export function validationContextSecret(name: SdsSecretName, rootsPem: string, crlsPem?: string): SdsSecret {
  const crl = crlsPem === undefined ? {} : { crl: { inline_string: crlsPem } };
  return { name, validation_context: { trusted_ca: { inline_string: rootsPem }, ...crl } };
}

/** Where a TLS context finds a secret, by its name. */
export type SecretReference = (secret: SdsSecretName) => EnvoyJson;

/** A placement with what the definition adds to it: how this node's Envoy gets its secrets. */
export interface PlacedNode extends Placement {
  readonly secret: SecretReference;
}

export function placedNode(mesh: Mesh, nodeName: string, placement: Placement): PlacedNode {
  const secret: SecretReference =
    secretDeliveryOf(mesh, nodeName) === 'sds'
      ? fromSocket
      : (name) => fromFile(placement.secretsDirectory, name);
  return { ...placement, secret };
}

const SDS_CLUSTER = 'sds';

/**
 * A stream for each secret. Envoy opens it anew whenever it breaks, and goes on with what it has
 * meanwhile.
 */
function fromSocket(secret: SdsSecretName): EnvoyJson {
  return {
    name: secret,
    sds_config: {
      resource_api_version: 'V3',
      api_config_source: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: SDS_CLUSTER } }],
      },
    },
  };
}

/** The cert agent beside this Envoy. */
export function sdsCluster(socket: string): EnvoyJson {
  return {
    name: SDS_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: SDS_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}

export function sdsFileName(secret: SdsSecretName): string {
  return `${secret}.json`;
}

/**
 * Makes Envoy read a secret from its file and watch the directory for a file moved over it.
 *
 * One file for each secret: with key and certificate in two, Envoy sees the new key beside the old
 * certificate in between.
 */
function fromFile(directory: string, secret: SdsSecretName): EnvoyJson {
  return {
    name: secret,
    sds_config: {
      resource_api_version: 'V3',
      path_config_source: {
        path: `${directory}/${sdsFileName(secret)}`,
        watched_directory: { path: directory },
      },
    },
  };
}

/** The contents of the file of a secret: what Envoy calls a discovery response. */
export function sdsFile(secret: SdsSecret): EnvoyJson {
  return { resources: [{ '@type': SECRET_TYPE, ...secret }] };
}

/** The contents of the file of a certificate. */
export function tlsCertificateSdsFile(secret: SdsSecretName, material: TlsCertificateSecret): EnvoyJson {
  return sdsFile(tlsCertificateSecret(secret, material));
}

/** The contents of the file of a trust bundle: see {@link validationContextSecret}. */
export function trustSdsFile(secret: SdsSecretName, rootsPem: string, crlsPem?: string): EnvoyJson {
  return sdsFile(validationContextSecret(secret, rootsPem, crlsPem));
}
