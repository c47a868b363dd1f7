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
}
