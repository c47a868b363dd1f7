import { describe, expect, it } from '@jest/globals';
import { edgesOf } from '../../../mesh/edges.ts';
import { nodeNames } from '../../../mesh/identity.ts';
import { tokenizationMesh as mesh } from '../../../mesh/tokenization-mesh.ts';
import { placeNodes, TALL, WIDE } from '../../../operator/dashboard/page/topology-places.ts';

const named = (names: readonly string[]) => names.map((name) => ({ name }));

describe.each([
  ['to the right', WIDE, 'x'],
  ['down', TALL, 'y'],
] as const)('the drawing of the mesh, %s', (_way, shape, along) => {
  const nodes = named(['outside', ...nodeNames(mesh), 'processor']);
  const calls = [
    { from: 'outside', to: 'gateway' },
    ...edgesOf(mesh).map(({ from, to, virtualService }) => ({ from, to: to ?? virtualService })),
  ];
  const { places, width, height } = placeNodes(nodes, calls, shape);
  const step = (name: string): number => places.get(name)?.[along] ?? -1;

  it('puts each beyond all that call it', () => {
    expect(calls.filter(({ from, to }) => step(from) >= step(to))).toEqual([]);
  });

  it('puts no two in one place, and all of them on the paper', () => {
    const all = [...places.values()];
    expect(new Set(all.map((place) => `${place.x} ${place.y}`)).size).toBe(nodes.length);
    expect(
      all.every((place) => place.x + shape.nodeWidth <= width && place.y + shape.nodeHeight <= height),
    ).toBe(true);
  });

  it('ends for calls in a circle, and for nodes without calls', () => {
    const circle = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ];
    expect(placeNodes(named(['a', 'b', 'c']), circle, shape).places.size).toBe(3);
  });
});
