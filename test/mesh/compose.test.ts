import { describe, expect, it } from '@jest/globals';
import { composeMesh } from '../../mesh/compose.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { edgesOf } from '../../mesh/edges.ts';
import type { MeshEntries, NodeEntry } from '../../mesh/entries.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { tokenizationEntries, tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { validateMesh } from '../../mesh/validate.ts';

const LOYALTY: NodeEntry = {
  port: 8448,
  operations: [
    { name: 'members.join', method: 'POST', path: '/members', scope: 'members.write' },
    { name: 'members.count', method: 'GET', path: '/members' },
  ],
  calls: { tokenizer: ['tokens.create', 'detokenize'], order: ['orders.read'] },
  vaultAccess: { tenants: ['shop'], grants: [{ operation: 'tokenize', classes: ['email'] }] },
};

function withEntry(name: string, entry: NodeEntry, further: Partial<MeshEntries['nodes']> = {}): Mesh {
  return composeMesh({
    ...tokenizationEntries,
    nodes: { ...tokenizationEntries.nodes, [name]: entry, ...further } as MeshEntries['nodes'],
  });
}

const refunds: NodeEntry = { port: 8449, calls: { loyalty: ['members.count'] } };

function callersOf(mesh: Mesh, node: string): Record<string, unknown> {
  const operations = mesh.virtualNodes[node]?.listener.operations ?? [];
  return Object.fromEntries(operations.map(({ name, callers }) => [name, callers]));
}

describe('an entry more', () => {
  const mesh = withEntry('loyalty', LOYALTY, { refunds });

  it('is all that a valid mesh with one more node takes', () => {
    expect(validateMesh(mesh)).toEqual([]);
    expect(nodeNames(mesh)).toEqual([...nodeNames(tokenizationMesh), 'loyalty', 'refunds']);
    expect(mesh.virtualServices['loyalty']).toEqual({ provider: 'loyalty' });
    expect(mesh.virtualNodes['loyalty']?.vaultAccess).toBe(LOYALTY.vaultAccess);
  });

  it('leads the gateway to what has a scope, and to nothing else', () => {
    const gateway = mesh.virtualGateways['gateway'];
    expect(gateway?.listener.operations.at(-1)).toEqual({
      name: 'members.join',
      method: 'POST',
      path: '/members',
      scope: 'members.write',
      callers: 'anyone',
      virtualService: 'loyalty',
    });
    expect(gateway?.listener.operations).toHaveLength(
      (tokenizationMesh.virtualGateways['gateway']?.listener.operations.length ?? 0) + 1,
    );
    expect(gateway?.backends.map(({ virtualService }) => virtualService)).toEqual([
      'order',
      'paybill',
      'loyalty',
    ]);
  });

  it('makes callers of those that enter an operation in their calls, wherever it is', () => {
    expect(callersOf(mesh, 'tokenizer')).toMatchObject({
      'tokens.create': ['order', 'loyalty'],
      'tokens.create-batch': ['order', 'bulk'],
      detokenize: ['paybill', 'loyalty'],
    });
    expect(callersOf(mesh, 'order')).toMatchObject({ 'orders.read': ['gateway', 'loyalty'] });
    expect(callersOf(mesh, 'loyalty')).toEqual({
      health: 'mesh',
      readiness: 'mesh',
      'members.join': ['gateway'],
      'members.count': ['refunds'],
    });
  });

  it('makes mutual edges of its calls, and no virtual service where it offers nothing', () => {
    const edges = edgesOf(mesh).filter(({ from }) => from === 'loyalty' || from === 'refunds');
    expect(edges.map(({ from, to, mode }) => `${from} -> ${to} ${mode}`)).toEqual([
      'loyalty -> tokenizer mtls',
      'loyalty -> order mtls',
      'refunds -> loyalty mtls',
    ]);
    expect(mesh.virtualServices).not.toHaveProperty('refunds');
    expect(mesh.virtualServices).not.toHaveProperty('outsider');
  });

  it('leaves nothing of the entries to be told where all of it is clear', () => {
    expect(mesh).not.toHaveProperty('unresolved');
  });
});

describe('an entry with a slip in it', () => {
  // A slip is what the types would not take.
  const wrong = (entry: object): string[] =>
    validateMesh(withEntry('loyalty', { ...LOYALTY, ...entry })).map(
      ({ path, message }) => `${path}: ${message}`,
    );

  it.each<[string, object, RegExp]>([
    [
      'an operation that the service does not have',
      { calls: { tokenizer: ['token.create'], order: ['orders.read'] } },
      /^nodes\.loyalty\.calls\.tokenizer: unknown operation "token\.create": expected one of "openapi", "tokens\.create", /,
    ],
    [
      'a service that is not there',
      { calls: { tokeniser: ['tokens.create'] } },
      /^virtualNodes\.loyalty\.backends\.tokeniser: unknown virtual service "tokeniser"/,
    ],
    [
      'an operation of a node that offers none',
      { calls: { outsider: ['orders.read'] } },
      /^virtualNodes\.loyalty\.backends\.outsider: unknown virtual service "outsider"/,
    ],
    [
      'a key that is none',
      { vaultAcess: LOYALTY.vaultAccess },
      /^nodes\.loyalty\.vaultAcess: unknown key: expected one of "port", "operations", /,
    ],
    [
      'a key of an operation that is none',
      { operations: [{ ...LOYALTY.operations?.[0], scopes: 'members.write' }] },
      /^nodes\.loyalty\.operations\[0\]\.scopes: unknown key: expected one of "name", /,
    ],
    [
      'an operation that nobody may call',
      { operations: [{ name: 'members.join', method: 'POST', path: '/members' }] },
      /^nodes\.loyalty\.operations\[0\]: expected somebody who may call "members\.join", got nobody/,
    ],
    [
      'an operation of a name that the gateway has',
      { operations: [{ name: 'orders.read', method: 'GET', path: '/members', scope: 'members.read' }] },
      /^virtualGateways\.gateway\.listener\.operations: expected each name once, got "orders\.read" again/,
    ],
  ])('is refused: %s', (_what, entry, problem) => {
    expect(wrong({ operations: [LOYALTY.operations?.[0]], ...entry })).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  it('is told together with all others, of the gateway and of functions too', () => {
    const mesh = composeMesh({
      ...tokenizationEntries,
      gateway: { ...tokenizationEntries.gateway, rate: 5 } as MeshEntries['gateway'],
      functions: {
        bulk: { calls: { tokenizer: ['tokens.make'] }, backends: [] },
      } as MeshEntries['functions'],
    });
    expect(validateMesh(mesh).map(({ path }) => path)).toEqual([
      'gateway.rate',
      'functions.bulk.backends',
      'functions.bulk.calls.tokenizer',
    ]);
  });
});
