import { describe, expect, it } from '@jest/globals';
import type { Mesh, VirtualNode } from '../../mesh/definition.ts';
import { edgesOf } from '../../mesh/edges.ts';
import { identityOf, nodeOfIdentity } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { secretDeliveryOf } from '../../mesh/secret-delivery.ts';
import { assertValidMesh, validateMesh } from '../../mesh/validate.ts';
import { withNode, withOneWayOrder } from '../support/meshes.ts';

const pathsOf = (mesh: Mesh): string[] => validateMesh(mesh).map((problem) => problem.path);

describe('the shipped mesh', () => {
  it('is valid', () => {
    expect(validateMesh(tokenizationMesh)).toEqual([]);
  });

  it('has mutual TLS on every edge between its members', () => {
    const inside = edgesOf(tokenizationMesh).filter((edge) => edge.to !== undefined);
    expect(inside.length).toBe(7);
    expect(inside.filter((edge) => edge.mode !== 'mtls')).toEqual([]);
  });

  it('grants the outsider nothing but to ask whether others are there', () => {
    const granted = Object.values(tokenizationMesh.virtualNodes).flatMap((node) =>
      node.listener.operations.filter(
        (each) => Array.isArray(each.callers) && each.callers.includes('outsider'),
      ),
    );
    expect(granted).toEqual([]);
    expect(tokenizationMesh.virtualNodes['outsider']?.vaultAccess).toBeUndefined();
  });

  it('goes to one-way TLS on one edge, and back', () => {
    const flipped = withOneWayOrder();
    expect(validateMesh(flipped)).toEqual([]);
    expect(edgesOf(flipped).find((edge) => edge.from === 'gateway' && edge.to === 'order')?.mode).toBe(
      'one-way',
    );
    expect(
      edgesOf(tokenizationMesh).find((edge) => edge.from === 'gateway' && edge.to === 'order')?.mode,
    ).toBe('mtls');
  });
});

describe('an identity', () => {
  it('is the name of the node under the name of the mesh, and leads back to the node', () => {
    expect(identityOf(tokenizationMesh, 'order')).toBe('order.tokenmesh.internal');
    expect(nodeOfIdentity(tokenizationMesh, 'order.tokenmesh.internal')).toBe('order');
  });

  it.each([
    'order',
    'ORDER.tokenmesh.internal',
    'order.tokenmesh.internal.',
    'x.order.tokenmesh.internal',
    '',
  ])('is not %p', (name) => {
    expect(nodeOfIdentity(tokenizationMesh, name)).toBeUndefined();
  });
});

describe('how a node gets its secrets', () => {
  it('is from memory, unless the mesh or the node says otherwise', () => {
    const filed: Mesh = { ...tokenizationMesh, secretDelivery: 'file' };
    const one = withNode('order', (node) => ({ ...node, secretDelivery: 'file' }));
    expect(secretDeliveryOf(tokenizationMesh, 'order')).toBe('sds');
    expect(secretDeliveryOf(filed, 'order')).toBe('file');
    expect([secretDeliveryOf(one, 'order'), secretDeliveryOf(one, 'paybill')]).toEqual(['file', 'sds']);
    expect([filed, one].flatMap(pathsOf)).toEqual([]);
  });

  it('is refused in a way that there is not', () => {
    const mesh = withNode('order', (node) => ({ ...node, secretDelivery: 'env' as 'file' }));
    expect(pathsOf({ ...mesh, secretDelivery: 'disk' as 'file' })).toEqual([
      'secretDelivery',
      'virtualNodes.order.secretDelivery',
    ]);
  });
});

describe('validation', () => {
  it('refuses a backend that nobody provides, naming those that there are', () => {
    const mesh = withNode('paybill', (node) => ({
      ...node,
      backends: [{ virtualService: 'tokeniser', clientPolicy: { tls: 'mtls' } }],
    }));
    const [problem] = validateMesh(mesh);
    expect(problem?.path).toBe('virtualNodes.paybill.backends.tokeniser');
    expect(problem?.message).toContain('"tokenizer"');
  });

  it('refuses a function that calls nobody there is, or one that does not ask who calls', () => {
    const strange = { ...tokenizationMesh, functions: { bulk: { backends: ['tokeniser', 'tokenizer'] } } };
    expect(pathsOf(strange)).toEqual(['functions.bulk.backends.tokeniser']);
    const open = withNode('tokenizer', (node) => ({
      ...node,
      listener: { ...node.listener, tls: { mode: 'STRICT' }, operations: [] },
    }));
    expect(pathsOf(open)).toContain('functions.bulk.backends.tokenizer');
  });

  it('refuses a function with the name of a node, and access to the vault for no tenant', () => {
    const vaultAccess = { tenants: [], grants: [] };
    const mesh = { ...tokenizationMesh, functions: { order: { backends: ['tokenizer'], vaultAccess } } };
    expect(pathsOf(mesh)).toEqual(expect.arrayContaining(['functions.order']));
    const unnamed = { ...tokenizationMesh, functions: { bulk: { backends: ['tokenizer'], vaultAccess } } };
    expect(pathsOf(unnamed)).toEqual(['functions.bulk.vaultAccess.tenants']);
  });

  it('refuses an edge that its listener would refuse', () => {
    const mesh = withNode('order', (node) => ({
      ...node,
      backends: [{ virtualService: 'tokenizer', clientPolicy: { tls: 'one-way' } }],
    }));
    expect(pathsOf(mesh)).toEqual(['virtualNodes.order.backends.tokenizer.clientPolicy.tls']);
  });

  it('takes plaintext towards a permissive listener, and only there', () => {
    const plain = { virtualService: 'tokenizer', clientPolicy: { tls: 'none' } } as const;
    const strict = withNode('order', (node) => ({ ...node, backends: [plain] }));
    expect(pathsOf(strict)).toEqual(['virtualNodes.order.backends.tokenizer.clientPolicy.tls']);
    const tokenizer = strict.virtualNodes['tokenizer'];
    if (tokenizer === undefined) throw new Error('the shipped mesh has changed');
    const permissive: Mesh = {
      ...strict,
      virtualNodes: {
        ...strict.virtualNodes,
        tokenizer: {
          ...tokenizer,
          listener: {
            ...tokenizer.listener,
            tls: { mode: 'PERMISSIVE', clientValidation: { trust: 'clients' } },
          },
        },
      },
    };
    expect(pathsOf(permissive)).toEqual([]);
  });

  it.each<unknown>(['everyone', 'order', '', undefined, null, 7, { order: true }])(
    'refuses %j as the callers of an operation, and says where it stands',
    (callers) => {
      const mesh = withNode('order', (node) => ({
        ...node,
        listener: {
          ...node.listener,
          operations: [{ name: 'a', method: 'GET', path: '/a', callers: callers as 'mesh' }],
        },
      }));
      expect(pathsOf(mesh)).toEqual(['virtualNodes.order.listener.operations[0].callers']);
    },
  );

  it('refuses callers by name where nobody has to prove a name', () => {
    const mesh = withNode('outsider', (node) => ({
      ...node,
      listener: { ...node.listener, tls: { mode: 'STRICT' } },
    }));
    expect(pathsOf(mesh)).toEqual([
      'virtualNodes.outsider.listener.operations[0].callers',
      'virtualNodes.outsider.listener.operations[1].callers',
    ]);
  });

  it('refuses plaintext or mutual TLS towards an external service', () => {
    const mesh = withNode('paybill', (node) => ({
      ...node,
      backends: [{ virtualService: 'processor', clientPolicy: { tls: 'none' } }],
    }));
    expect(pathsOf(mesh)).toEqual(['virtualNodes.paybill.backends.processor.clientPolicy.tls']);
  });

  it('refuses two operations of one name, a backend twice, and a name that a cluster of its own has', () => {
    const mesh = withNode('order', (node) => ({
      ...node,
      backends: [...node.backends, ...node.backends],
      listener: {
        ...node.listener,
        operations: [...node.listener.operations, ...node.listener.operations.slice(0, 1)],
      },
    }));
    expect(
      pathsOf({ ...mesh, virtualServices: { ...mesh.virtualServices, app: { provider: 'order' } } }),
    ).toEqual([
      'virtualServices.app',
      'virtualNodes.order.listener.operations',
      'virtualNodes.order.backends',
    ]);
  });

  it.each([
    ['tokenize', { perSecond: 0, burst: 1 }],
    ['tokenize', { perSecond: 1, burst: 0 }],
    ['tokenize', { perSecond: Number.POSITIVE_INFINITY, burst: 1 }],
    ['tokenize', { perSecond: 1, burst: 1.5 }],
    ['tokenize', { perSecond: 1, burst: 1, perMinute: 1 }],
    ['shred', { perSecond: 1, burst: 1 }],
  ])('refuses to limit %s to %j', (operation, rate) => {
    const mesh = withNode('order', (node) => ({
      ...node,
      vaultAccess: { tenants: ['shop'], grants: [], limits: { [operation]: rate } },
    }));
    expect(pathsOf(mesh)).toEqual([`virtualNodes.order.vaultAccess.limits.${operation}`]);
  });

  it('reports every problem at once, each with its path', () => {
    const mesh: Mesh = {
      ...withNode('order', (node) => ({
        ...node,
        listener: {
          ...node.listener,
          port: 70_000,
          operations: [
            { name: 'a', method: 'GET', path: 'no-slash', callers: ['nobody'] },
            { name: 'b', method: 'GET', path: '/a/', callers: 'mesh' },
          ],
        },
        vaultAccess: { tenants: [], grants: [] },
      })),
      name: 'Token Mesh',
      maxConnectionDurationSeconds: 0,
      revocation: { afterNextUpdate: 'ignore' as 'keep', alarmBeforeNextUpdateHours: 0 },
      virtualServices: { ...tokenizationMesh.virtualServices, tokenizer: { provider: 'tokeniser' } },
    };
    expect(pathsOf(mesh).sort()).toEqual(
      [
        'maxConnectionDurationSeconds',
        'name',
        'revocation.afterNextUpdate',
        'revocation.alarmBeforeNextUpdateHours',
        'virtualNodes.order.listener.operations[0].callers',
        'virtualNodes.order.listener.operations[0].path',
        'virtualNodes.order.listener.operations[1].path',
        'virtualNodes.order.listener.port',
        'virtualNodes.order.vaultAccess.tenants',
        'virtualServices.tokenizer.provider',
      ].sort(),
    );
    expect(() => assertValidMesh(mesh)).toThrow(expect.objectContaining({ code: 'ERR_MESH_INVALID' }));
  });

  it('gives a remedy with every problem', () => {
    const problems = validateMesh({
      ...tokenizationMesh,
      name: '',
      virtualServices: {},
      requestTimeoutSeconds: -1,
    });
    expect(problems.length).toBeGreaterThan(5);
    for (const problem of problems) expect(problem.remedy).not.toBe('');
  });
});

describe('the name that every object of JavaScript has', () => {
  it('is refused for a member and for a service', () => {
    const { virtualNodes, virtualServices } = tokenizationMesh;
    const named: Mesh = {
      ...tokenizationMesh,
      virtualNodes: { ...virtualNodes, constructor: virtualNodes['outsider'] as VirtualNode },
      virtualServices: { ...virtualServices, constructor: { provider: 'order' } },
    };
    expect(pathsOf(named)).toEqual(['virtualNodes.constructor', 'virtualServices.constructor']);
  });

  it.each(['constructor', '__proto__'])('refuses %s where a service or its provider is meant', (name) => {
    const [virtualService, provider] = [name, name];
    const calling = withNode('paybill', (node) => ({
      ...node,
      backends: [...node.backends, { virtualService, clientPolicy: { tls: 'mtls' } }],
    }));
    expect(pathsOf(calling)).toEqual([`virtualNodes.paybill.backends.${name}`]);
    const provided = { ...tokenizationMesh.virtualServices, order: { provider } };
    expect(pathsOf({ ...tokenizationMesh, virtualServices: provided })).toContain(
      'virtualServices.order.provider',
    );
  });
});
