import {
  callersOf,
  type FunctionEntry,
  type GatewayEntry,
  type MeshEntries,
  type NodeEntry,
  type OfferedOperation,
} from './entries.ts';
import { list, type MeshProblem } from './mesh-problem.ts';

type Keys<Entry> = Readonly<Record<keyof Required<Entry>, true>>;

/** Types are not looked at when the definition runs: a slip in a key would take a right away in silence. */
const NODE_KEYS: Keys<NodeEntry> = {
  port: true,
  operations: true,
  maxRequestBytes: true,
  calls: true,
  callsOutside: true,
  vaultAccess: true,
  certificateSource: true,
  secretDelivery: true,
};

const OPERATION_KEYS: Keys<OfferedOperation> = {
  name: true,
  method: true,
  path: true,
  scope: true,
  callers: true,
};

const FUNCTION_KEYS: Keys<FunctionEntry> = { calls: true, vaultAccess: true };

const GATEWAY_KEYS: Keys<GatewayEntry> = {
  port: true,
  maxRequestBytes: true,
  authentication: true,
  rates: true,
  crossOrigin: true,
  secretDelivery: true,
};

/** Everything in the entries that nothing can be made of, or that would grant nothing to anybody. */
export function entryProblems(entries: MeshEntries): MeshProblem[] {
  const { gateway, nodes, functions } = entries;
  return [
    ...unknownKeys('gateway', gateway, GATEWAY_KEYS),
    ...Object.entries(nodes).flatMap(([name, node]) => [
      ...unknownKeys(`nodes.${name}`, node, NODE_KEYS),
      ...callProblems(`nodes.${name}.calls`, node.calls, entries),
      ...(node.operations ?? []).flatMap((operation, index) =>
        operationProblems(`nodes.${name}.operations[${index}]`, name, operation, entries),
      ),
    ]),
    ...Object.entries(functions).flatMap(([name, entry]) => [
      ...unknownKeys(`functions.${name}`, entry, FUNCTION_KEYS),
      ...callProblems(`functions.${name}.calls`, entry.calls, entries),
    ]),
  ];
}

function unknownKeys(path: string, entry: object, known: Readonly<Record<string, true>>): MeshProblem[] {
  return Object.keys(entry)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key) => ({
      path: `${path}.${key}`,
      message: `unknown key: expected one of ${list(Object.keys(known))}`,
      remedy: 'correct the name, or drop it',
    }));
}

/** A service that nobody knows is `validateMesh`'s to refuse: it is among the backends. */
function callProblems(path: string, calls: NodeEntry['calls'], { nodes }: MeshEntries): MeshProblem[] {
  return Object.entries(calls ?? {}).flatMap(([service, operations]) => {
    const offered = nodes[service]?.operations?.map(({ name }) => name);
    if (offered === undefined) return [];
    return operations
      .filter((name) => !offered.includes(name))
      .map((name) => ({
        path: `${path}.${service}`,
        message: `unknown operation ${JSON.stringify(name)}: expected one of ${list(offered)}`,
        remedy: `correct the name, or add the operation to nodes.${service}`,
      }));
  });
}

function operationProblems(
  path: string,
  node: string,
  operation: OfferedOperation,
  entries: MeshEntries,
): MeshProblem[] {
  const problems = unknownKeys(path, operation, OPERATION_KEYS);
  const isCalled = callersOf(entries, node, operation.name).length > 0;
  if (isCalled || operation.scope !== undefined || operation.callers !== undefined) return problems;
  return [
    ...problems,
    {
      path,
      message: `expected somebody who may call ${JSON.stringify(operation.name)}, got nobody`,
      remedy: `give it a scope for callers from outside, or enter it in the calls of a node: calls: { ${node}: [${JSON.stringify(operation.name)}] }`,
    },
  ];
}
