import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh as mesh } from '../../../mesh/tokenization-mesh.ts';
import { askedEdge } from '../../../operator/explain/edge-question.ts';

describe('the edge that is asked about', () => {
  it.each([
    [['order', 'tokenizer']],
    [['order:tokenizer']],
    [['order -> tokenizer']],
    [['order', '->', 'tokenizer']],
  ])('is read as it is written: %j', (words) => {
    expect(askedEdge(mesh, words)).toEqual({
      from: 'order',
      service: 'tokenizer',
      to: 'tokenizer',
      isDeclared: true,
      mode: 'mtls',
    });
  });

  it('may be one that the definition does not have, and one that leaves the mesh', () => {
    expect(askedEdge(mesh, ['gateway:tokenizer'])).toMatchObject({ isDeclared: false, mode: 'mtls' });
    expect(askedEdge(mesh, ['paybill:processor'])).toMatchObject({ to: undefined, mode: 'one-way' });
    expect(askedEdge(mesh, ['outside:gateway'])).toMatchObject({ isDeclared: true, mode: 'one-way' });
    expect(askedEdge(mesh, ['outside:order'])).toMatchObject({ isDeclared: false, mode: 'mtls' });
  });

  it.each([
    [['order']],
    [['order', 'tokenizer', 'paybill']],
    [['stranger', 'tokenizer']],
    [['order', 'stranger']],
  ])('is refused where it is none: %j', (words) => {
    expect(() => askedEdge(mesh, words)).toThrow(expect.objectContaining({ code: 'ERR_EDGE_UNKNOWN' }));
  });
});
