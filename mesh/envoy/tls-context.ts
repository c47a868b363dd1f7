import type { Mesh } from '../definition.ts';
import { identityOf, memberNames } from '../identity.ts';
import { trustSecret, type SecretReference } from './sds.ts';
import type { EnvoyJson } from './types.ts';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';

/** The client side stops at TLS 1.2 unless the maximum is said too. */
const TLS_1_3_ONLY = { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' };

const TLS_1_2_UP = { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' };

/** Every certificate of the mesh is on P-256: a weak RSA key has no way to sign a handshake. */
const MESH_TLS_PARAMETERS = { ...TLS_1_3_ONLY, signature_algorithms: ['ecdsa_secp256r1_sha256'] };

/** The listener's side of a connection whose callers prove nothing. */
export function oneWayDownstream(secret: SecretReference): EnvoyJson {
  return downstream({
    common_tls_context: {
      tls_params: TLS_1_3_ONLY,
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificate_sds_secret_configs: [secret('server')],
    },
  });
}

/**
 * The listener's side of mutual TLS: a certificate of the `clients` hierarchy that names a member of
 * this mesh, or no handshake.
 *
 * Both kinds of session resumption are off: a resumed session is not asked for its certificate again,
 * so an expired or revoked peer would go on.
 */
export function mutualDownstream(mesh: Mesh, secret: SecretReference): EnvoyJson {
  return downstream({
    common_tls_context: {
      tls_params: MESH_TLS_PARAMETERS,
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificate_sds_secret_configs: [secret('server')],
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: memberNames(mesh).map((name) =>
            exactDnsName(identityOf(mesh, name)),
          ),
        },
        validation_context_sds_secret_config: secret(trustSecret('clients')),
      },
    },
    require_client_certificate: true,
  });
}

/** The caller's side: the backend must prove to be `identity`; for mutual TLS the caller proves itself too. */
export function meshUpstream(identity: string, secret: SecretReference, mutual: boolean): EnvoyJson {
  return upstream({
    sni: identity,
    common_tls_context: {
      tls_params: MESH_TLS_PARAMETERS,
      alpn_protocols: ['h2'],
      ...(mutual ? { tls_certificate_sds_secret_configs: [secret('client')] } : {}),
      combined_validation_context: {
        default_validation_context: { match_typed_subject_alt_names: [exactDnsName(identity)] },
        validation_context_sds_secret_config: secret(trustSecret('servers')),
      },
    },
  });
}

/** The caller's side towards a service that is not of the mesh, trusted under a bundle of its own. */
export function externalUpstream(hostname: string, trustFile: string): EnvoyJson {
  return oneWayUpstream(hostname, trustFile, TLS_1_3_ONLY);
}

/** Towards an endpoint of AWS, which takes TLS 1.2 too and may lack 1.3. */
export function publicUpstream(hostname: string, trustFile: string): EnvoyJson {
  return oneWayUpstream(hostname, trustFile, TLS_1_2_UP);
}

function oneWayUpstream(hostname: string, trustFile: string, tlsParameters: EnvoyJson): EnvoyJson {
  return upstream({
    sni: hostname,
    common_tls_context: {
      tls_params: tlsParameters,
      alpn_protocols: ['http/1.1'],
      validation_context: {
        trusted_ca: { filename: trustFile },
        match_typed_subject_alt_names: [exactDnsName(hostname)],
      },
    },
  });
}

function downstream(context: EnvoyJson): EnvoyJson {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TLS}.DownstreamTlsContext`,
      ...context,
      disable_stateless_session_resumption: true,
      disable_stateful_session_resumption: true,
    },
  };
}

function upstream(context: EnvoyJson): EnvoyJson {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: { '@type': `${TLS}.UpstreamTlsContext`, ...context, max_session_keys: 0 },
  };
}

function exactDnsName(name: string): EnvoyJson {
  return { san_type: 'DNS', matcher: { exact: name } };
}
