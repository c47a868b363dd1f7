import { describe, expect, it } from '@jest/globals';
import type { GatewayOperation, Mesh, VirtualGateway } from '../../mesh/definition.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { validateMesh } from '../../mesh/validate.ts';
import { taskPlacement } from '../support/meshes.ts';

const { gateway } = tokenizationMesh.virtualGateways as Record<'gateway', VirtualGateway>;

function withGateway(change: Partial<VirtualGateway>): Mesh {
  return { ...tokenizationMesh, virtualGateways: { gateway: { ...gateway, ...change } } };
}

function withScope(scope: string | undefined): GatewayOperation[] {
  return gateway.listener.operations.map(({ name, method, path, callers, virtualService }) => ({
    ...{ name, method, path, callers, virtualService },
    ...(scope === undefined ? {} : { scope }),
  }));
}

const AUTHENTICATION = 'virtualGateways.gateway.authentication';
const SCOPES = [0, 1, 2].map((index) => `virtualGateways.gateway.listener.operations[${index}].scope`);

describe('a gateway', () => {
  it.each<[string, Partial<VirtualGateway>, string[]]>([
    [
      'a resource server that no scope can name',
      { authentication: { resourceServer: 'a b', keySeconds: 60 } },
      [`${AUTHENTICATION}.resourceServer`],
    ],
    [
      'keys that are never held',
      { authentication: { resourceServer: 'tokenmesh', keySeconds: 0 } },
      [`${AUTHENTICATION}.keySeconds`],
    ],
    [
      'operations without a scope',
      { listener: { ...gateway.listener, operations: withScope(undefined) } },
      SCOPES,
    ],
    [
      'a scope that would be a pattern',
      { listener: { ...gateway.listener, operations: withScope('orders.*') } },
      SCOPES,
    ],
    [
      'a rate of nothing',
      { rates: { all: { perSecond: 0, burst: 1 } } },
      ['virtualGateways.gateway.rates.all'],
    ],
    [
      'a rate of half a request',
      { rates: { all: { perSecond: 1, burst: 1 }, caller: { perSecond: 0.5, burst: 1 } } },
      ['virtualGateways.gateway.rates.caller'],
    ],
    ...['*', 'https://*.example', 'https://shop.example/', 'http://shop.example', 'shop.example'].map(
      (origin): [string, Partial<VirtualGateway>, string[]] => [
        `the origin ${origin}`,
        { crossOrigin: { origins: [origin], maxAgeSeconds: 1 } },
        ['virtualGateways.gateway.crossOrigin.origins'],
      ],
    ),
    [
      'an age of less than nothing',
      { crossOrigin: { origins: [], maxAgeSeconds: -1 } },
      ['virtualGateways.gateway.crossOrigin.maxAgeSeconds'],
    ],
  ])('is refused with %s', (_what, change, paths) => {
    const problems = validateMesh(withGateway(change));
    expect(problems.map(({ path }) => path)).toEqual(paths);
    for (const { remedy } of problems) expect(remedy).not.toBe('');
  });

  it('that authenticates nobody has neither scopes nor rates of a caller', () => {
    const { authentication: _, ...open } = gateway;
    const mesh: Mesh = { ...tokenizationMesh, virtualGateways: { gateway: open } };
    expect(validateMesh(mesh).map(({ path }) => path)).toEqual([
      ...SCOPES,
      'virtualGateways.gateway.rates.caller',
    ]);
    const { rates: __, ...unlimited } = open;
    const listener = { ...gateway.listener, operations: withScope(undefined) };
    expect(validateMesh({ ...mesh, virtualGateways: { gateway: { ...unlimited, listener } } })).toEqual([]);
  });

  it('may be called by a page on this machine, in the clear', () => {
    const crossOrigin = { origins: ['http://localhost:5173', 'https://shop.example'], maxAgeSeconds: 0 };
    expect(validateMesh(withGateway({ crossOrigin }))).toEqual([]);
  });

  it('that authenticates is not rendered without the issuer of its tokens', () => {
    const { tokenIssuer: _, ...placement } = taskPlacement(tokenizationMesh, 'gateway');
    expect(() => renderBootstrap(tokenizationMesh, 'gateway', placement)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_ISSUER_MISSING' }),
    );
  });
});
