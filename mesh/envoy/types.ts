/**
 * Where one node's parts are, and where it finds the others: all that a
 * bootstrap needs beside the definition.
 *
 * @module
 */

/** Part of an Envoy configuration, in the JSON form of its protocol buffers. */
export type EnvoyJson = { readonly [key: string]: unknown };

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** Who issues the tokens that callers from outside show: an OpenID Connect issuer, such as a Cognito user pool. */
export interface TokenIssuer {
  /** The `iss` of every token. */
  readonly issuer: string;
  /** Where its keys are published: a JWK set (RFC 7517). */
  readonly keys: SocketAddress & {
    readonly path: string;
    /** Over TLS under the name `host`; in the clear only on a loopback interface. */
    readonly tls: boolean;
    /** PEM bundle. @default the machine's own */
    readonly trustFile?: string;
  };
  /** The clients whose tokens are taken: those of Cognito have a `client_id`, and no `aud`. */
  readonly clientIds: readonly string[];
}

/** Where spans go: OpenTelemetry's protocol (OTLP) over HTTP, to a collector beside the task. */
export interface TraceCollector extends SocketAddress {
  /** `/v1/traces`, usually. */
  readonly path: string;
  /** Of the requests that come in, this many are traced. */
  readonly percent: number;
}

export interface Placement {
  readonly listener: SocketAddress;
  /** A Unix socket in a task; a TCP address only on a loopback interface. */
  readonly admin: { readonly socket: string } | SocketAddress;
  /** The app's Unix socket. A gateway has none. */
  readonly appSocket?: string;
  /** The Unix socket on which the app reaches its backends, and the cert agent and the operator the peer check. */
  readonly egressSocket: string;
  /** Where the cert agent moves files in that Envoy watches: the deny list, and the secrets that are delivered as files. */
  readonly secretsDirectory: string;
  /** The Unix socket on which the cert agent hands out secrets from its memory. Only the sidecar may get at it. */
  readonly sdsSocket: string;
  /** Backends by name: a host name found by DNS (Cloud Map), or an address. */
  readonly endpoints: Readonly<Record<string, SocketAddress>>;
  /** PEM bundles with the CAs that external services are trusted under, by name of the service. */
  readonly externalTrust: Readonly<Record<string, string>>;
  /** Of a gateway that authenticates its callers. */
  readonly tokenIssuer?: TokenIssuer;
  /** No spans are made without it. */
  readonly traces?: TraceCollector;
}
