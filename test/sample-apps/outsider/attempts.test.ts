import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { ATTEMPTS } from '../../../sample-apps/outsider/attempts.ts';

describe('attempts of the outsider', () => {
  const closed = (['tokenizer', 'order', 'paybill'] as const).flatMap((service) =>
    (tokenizationMesh.virtualNodes[service]?.listener.operations ?? [])
      .filter((operation) => operation.callers !== 'mesh')
      .map(({ method, path }) => ({ service, method, path })),
  );

  it.each(closed)('include $method $path of $service, which the mesh does not open to all', (operation) => {
    const plain = ATTEMPTS.filter((attempt) => attempt.headers === undefined);
    expect(plain).toContainEqual(expect.objectContaining(operation));
  });

  it('include nothing that the mesh opens to all of its members', () => {
    const open = ['/healthz', '/readyz', '/openapi.json'];
    expect(ATTEMPTS.filter((attempt) => open.includes(attempt.path))).toEqual([]);
  });

  it('are each said in words of their own', () => {
    const words = ATTEMPTS.map((attempt) => attempt.what);
    expect(new Set(words).size).toBe(words.length);
  });

  it('claim to be a caller that has the right', () => {
    const headers = ATTEMPTS.flatMap((attempt) => Object.keys(attempt.headers ?? {}));
    expect(headers).toEqual(
      expect.arrayContaining(['x-tokenmesh-identity', 'x-forwarded-client-cert', 'x-http-method-override']),
    );
  });
});
