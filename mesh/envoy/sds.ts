import type { CertificateRole, Hierarchy } from '../definition.ts';
import { type EnvoyJson } from './types.ts';

/** The names of a node's secrets: a certificate for each role, a trust bundle for each hierarchy. */
export type SdsSecretName = CertificateRole | `trust-${Hierarchy}`;

export function trustSecret(hierarchy: Hierarchy): SdsSecretName {
  return `trust-${hierarchy}`;
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
export function sdsReference(directory: string, secret: SdsSecretName): EnvoyJson {
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

export interface TlsCertificateSecret {
  /** Leaf, then intermediates: PEM. */
  readonly certificateChain: string;
  /** PKCS #8, still encrypted: PEM. */
  readonly encryptedPrivateKey: string;
  readonly passphrase: string;
}

/** The contents of the file of a certificate: what Envoy calls a discovery response. */
export function tlsCertificateSdsFile(secret: SdsSecretName, material: TlsCertificateSecret): EnvoyJson {
  return discoveryResponse(secret, {
    tls_certificate: {
      certificate_chain: { inline_string: material.certificateChain },
      private_key: { inline_string: material.encryptedPrivateKey },
      password: { inline_string: material.passphrase },
    },
  });
}

/**
 * The contents of the file of a trust bundle.
 *
 * @param crlsPem - Where given, every CA of every chain must have its list among them, and none may be
 *   past its nextUpdate: Envoy refuses whoever is issued by a CA whose list is missing or stale.
 */
export function trustSdsFile(secret: SdsSecretName, rootsPem: string, crlsPem?: string): EnvoyJson {
  const crl = crlsPem === undefined ? {} : { crl: { inline_string: crlsPem } };
  return discoveryResponse(secret, {
    validation_context: { trusted_ca: { inline_string: rootsPem }, ...crl },
  });
}

function discoveryResponse(name: SdsSecretName, secret: EnvoyJson): EnvoyJson {
  return {
    resources: [
      { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret', name, ...secret },
    ],
  };
}
