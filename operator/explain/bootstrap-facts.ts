/**
 * What a running Envoy was told, read back from its bootstrap: not what the definition says now.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { INBOUND } from '../../mesh/envoy/inbound.ts';

export interface BootstrapFacts {
  /** The names that a caller's certificate may have; undefined where none is asked for. */
  readonly acceptedNames: readonly string[] | undefined;
  /** By operation: who may call it. */
  readonly rules: ReadonlyMap<string, readonly string[] | 'anyone'>;
  /** By backend: the name that its certificate must have; undefined where it is called without TLS. */
  readonly demandedNames: ReadonlyMap<string, string | undefined>;
}

export async function bootstrapFacts(file: string): Promise<BootstrapFacts> {
  const { static_resources: found } = JSON.parse(await readFile(file, 'utf8')) as Bootstrap;
  const inbound = found.listeners.find(({ name }) => name === INBOUND)?.filter_chains ?? [];
  const filters = inbound.flatMap(({ filters }) =>
    filters.flatMap((each) => each.typed_config.http_filters ?? []),
  );
  // Others of the kind deny: a token or a scope at a gateway.
  const rules = filters
    .filter(({ name }) => name === 'envoy.filters.http.rbac')
    .map(({ typed_config }) => typed_config?.rules)
    .find((each) => each?.action === 'ALLOW')?.policies;
  return {
    acceptedNames: inbound
      .map(({ transport_socket }) => namesIn(transport_socket))
      .find((names) => names !== undefined),
    rules: new Map(
      Object.entries(rules ?? {}).map(([operation, { principals }]) => [operation, callersIn(principals)]),
    ),
    demandedNames: new Map(
      found.clusters.map(({ name, transport_socket }) => [name, namesIn(transport_socket)?.[0]]),
    ),
  };
}

interface Bootstrap {
  readonly static_resources: {
    readonly listeners: readonly { readonly name: string; readonly filter_chains: readonly FilterChain[] }[];
    readonly clusters: readonly { readonly name: string; readonly transport_socket?: TransportSocket }[];
  };
}

interface FilterChain {
  readonly transport_socket?: TransportSocket;
  readonly filters: readonly { readonly typed_config: { readonly http_filters?: readonly HttpFilter[] } }[];
}

interface HttpFilter {
  readonly name: string;
  readonly typed_config?: {
    readonly rules?: {
      readonly action: 'ALLOW' | 'DENY';
      readonly policies: Readonly<Record<string, { readonly principals: readonly Principal[] }>>;
    };
  };
}

interface Principal {
  readonly any?: boolean;
  readonly authenticated?: { readonly principal_name: { readonly exact: string } };
}

interface TransportSocket {
  readonly typed_config: {
    readonly common_tls_context: {
      readonly combined_validation_context?: { readonly default_validation_context: Names };
      readonly validation_context?: Names;
    };
  };
}

interface Names {
  readonly match_typed_subject_alt_names?: readonly { readonly matcher: { readonly exact: string } }[];
}

function namesIn(socket: TransportSocket | undefined): readonly string[] | undefined {
  const context = socket?.typed_config.common_tls_context;
  const names =
    context?.combined_validation_context?.default_validation_context ?? context?.validation_context;
  return names?.match_typed_subject_alt_names?.map(({ matcher }) => matcher.exact);
}

function callersIn(principals: readonly Principal[]): readonly string[] | 'anyone' {
  if (principals.some(({ any }) => any === true)) return 'anyone';
  return principals.flatMap(({ authenticated }) => authenticated?.principal_name.exact ?? []);
}
