import type {
  Backend,
  GatewayOperation,
  ListenerTls,
  Mesh,
  MeshFunction,
  Operation,
  VirtualGateway,
  VirtualNode,
} from './definition.ts';
import { entryProblems } from './entry-problems.ts';
import {
  callersOf,
  type FunctionEntry,
  type GatewayEntry,
  type MeshEntries,
  type NodeEntry,
  type OfferedOperation,
} from './entries.ts';

/** The name of the gateway: a member as the others. */
export const GATEWAY = 'gateway';

/** Both sides prove themselves, and nothing else is taken. */
const STRICT_MTLS: ListenerTls = { mode: 'STRICT', clientValidation: { trust: 'clients' } };

/** An order, a payment: one document. */
const MAX_REQUEST_BYTES = 65_536;

/** What every node answers to any other: is it there, and is it ready. */
const HEALTH: readonly Operation[] = [
  { name: 'health', method: 'GET', path: '/healthz', callers: 'mesh' },
  { name: 'readiness', method: 'GET', path: '/readyz', callers: 'mesh' },
];

/**
 * Makes the definition of a mesh from an entry for each member.
 *
 * The callers of an operation are those that enter it in their `calls`, in the order of the entries, the
 * gateway before them where the operation has a scope. Every edge inside is mutual TLS.
 *
 * @returns A definition whose `unresolved` says what nothing could be made of; `validateMesh` refuses that.
 */
export function composeMesh(entries: MeshEntries): Mesh {
  const { gateway, nodes, functions, ...rest } = entries;
  const unresolved = entryProblems(entries);
  return {
    ...rest,
    virtualGateways: { [GATEWAY]: gatewayOf(gateway, nodes) },
    virtualNodes: mapped(nodes, (node, name) => nodeOf(node, name, entries)),
    functions: mapped(functions, functionOf),
    virtualServices: Object.fromEntries(offering(nodes).map(([name]) => [name, { provider: name }] as const)),
    ...(unresolved.length === 0 ? {} : { unresolved }),
  };
}

function gatewayOf(entry: GatewayEntry, nodes: MeshEntries['nodes']): VirtualGateway {
  const { port, maxRequestBytes = MAX_REQUEST_BYTES, ...asked } = entry;
  const routes = offering(nodes).flatMap(([virtualService, { operations = [] }]) =>
    operations
      .filter(({ scope }) => scope !== undefined)
      .map((operation): GatewayOperation => ({ ...operation, callers: 'anyone', virtualService })),
  );
  const services = new Set(routes.map(({ virtualService }) => virtualService));
  return {
    listener: { port, protocol: 'http2', tls: { mode: 'STRICT' }, maxRequestBytes, operations: routes },
    backends: [...services].map(mutual),
    ...asked,
  };
}

function nodeOf(entry: NodeEntry, name: string, entries: MeshEntries): VirtualNode {
  const { port, operations = [], maxRequestBytes = MAX_REQUEST_BYTES } = entry;
  const { calls = {}, callsOutside = [], ...further } = entry;
  const { vaultAccess, certificateSource, secretDelivery } = further;
  const offered = operations.map((operation) => offeredBy(name, operation, entries));
  return {
    listener: {
      port,
      protocol: 'http2',
      tls: STRICT_MTLS,
      maxRequestBytes,
      operations: [...HEALTH, ...offered],
    },
    backends: [
      ...Object.keys(calls).map(mutual),
      ...callsOutside.map((virtualService): Backend => ({
        virtualService,
        clientPolicy: { tls: 'one-way' },
      })),
    ],
    ...(vaultAccess === undefined ? {} : { vaultAccess }),
    ...(certificateSource === undefined ? {} : { certificateSource }),
    ...(secretDelivery === undefined ? {} : { secretDelivery }),
  };
}

function offeredBy(node: string, operation: OfferedOperation, entries: MeshEntries): Operation {
  const { scope, callers, ...rest } = operation;
  const named = callersOf(entries, node, operation.name);
  return { ...rest, callers: callers ?? [...(scope === undefined ? [] : [GATEWAY]), ...named] };
}

function functionOf({ calls, ...further }: FunctionEntry): MeshFunction {
  return { backends: Object.keys(calls), ...further };
}

/** Those with operations of their own: a node that only calls has no virtual service. */
function offering(nodes: MeshEntries['nodes']): [string, NodeEntry][] {
  return Object.entries(nodes).filter(([, { operations = [] }]) => operations.length > 0);
}

function mutual(virtualService: string): Backend {
  return { virtualService, clientPolicy: { tls: 'mtls' } };
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  make: (from: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, from]) => [name, make(from, name)]));
}
