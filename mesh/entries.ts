/**
 * The words in which members are entered: an entry says all of one member, and nothing of it is said elsewhere.
 * {@link composeMesh} makes the definition of them.
 *
 * @module
 */

import type {
  CertificateSourceChoice,
  Mesh,
  Operation,
  SecretDelivery,
  VaultAccess,
  VirtualGateway,
} from './definition.ts';

/** One thing that a node offers. Who may call it follows from the `calls` of the others. */
export interface OfferedOperation extends Omit<Operation, 'callers'> {
  /** The gateway leads callers from outside here whose token has this scope. @default it does not */
  readonly scope?: string;
  /** `mesh`: every member may call it, whatever its `calls` say. @default those that enter it in their `calls` */
  readonly callers?: 'mesh';
}

/**
 * What a member calls: virtual services by name, and of each the operations. A service without operations is
 * one that the member's Envoy leads to and that grants it nothing but health.
 */
export type Calls = Readonly<Record<string, readonly string[]>>;

/** A node: its virtual service and the gateway's routes to it follow. */
export interface NodeEntry {
  readonly port: number;
  /** Beside health and readiness, which every member may ask for. @default none, and no virtual service */
  readonly operations?: readonly OfferedOperation[];
  /** @default 65536 */
  readonly maxRequestBytes?: number;
  readonly calls?: Calls;
  /** Services that are not of the mesh, by name. @default none */
  readonly callsOutside?: readonly string[];
  /** What the policy of the tokenizer grants it. @default nothing */
  readonly vaultAccess?: VaultAccess;
  /** @default acm-export */
  readonly certificateSource?: CertificateSourceChoice;
  /** @default the mesh's */
  readonly secretDelivery?: SecretDelivery;
}

/** A caller with no Envoy beside it, and that nobody calls. */
export interface FunctionEntry {
  readonly calls: Calls;
  /** What the policy of the tokenizer grants it. @default nothing */
  readonly vaultAccess?: VaultAccess;
}

/** The way in from outside: its routes are those operations of nodes that have a scope. */
export interface GatewayEntry extends Pick<
  VirtualGateway,
  'authentication' | 'rates' | 'crossOrigin' | 'secretDelivery'
> {
  readonly port: number;
  /** @default 65536 */
  readonly maxRequestBytes?: number;
}

export interface MeshEntries extends Omit<
  Mesh,
  'virtualGateways' | 'virtualNodes' | 'functions' | 'virtualServices' | 'unresolved'
> {
  readonly gateway: GatewayEntry;
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly functions: Readonly<Record<string, FunctionEntry>>;
}

/** The members that enter an operation of a node in their `calls`, in the order of the entries. */
export function callersOf(
  { nodes, functions }: Pick<MeshEntries, 'nodes' | 'functions'>,
  node: string,
  operation: string,
): string[] {
  return Object.entries({ ...nodes, ...functions })
    .filter(([, { calls = {} }]) => (calls[node] ?? []).includes(operation))
    .map(([name]) => name);
}
