/**
 * Every part finds the others by name: an address stands in no configuration that is deployed.
 *
 * @module
 */

import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { originOf } from '../../queue/adapters/way-to-tokenizer.ts';
import { sourceFiles, textOf } from '../support/documents.ts';
import { SHIPPED_NODES, taskPlacement } from '../support/meshes.ts';

const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g;

/** Oneself: to listen, or to look at one's own listener. The last is nobody's: no caller has it. */
const OWN: ReadonlySet<string> = new Set(['0.0.0.0', '127.0.0.1', '255.255.255.255']);

/** What runs in a task or as a function. In `pki/` numbers with dots are object identifiers, and it connects to nobody. */
const DEPLOYED = /^(?:mesh|runtime|errors|cert-exporter|renewal|queue|sidecar|sample-apps)\/.*\.ts$/;

interface Address {
  readonly host: string;
  readonly type: unknown;
}

/** Whom the clusters of a bootstrap connect to. */
function upstreamsOf(nodeName: string): Address[] {
  const bootstrap = renderBootstrap(tokenizationMesh, nodeName, taskPlacement(tokenizationMesh, nodeName));
  const { clusters } = bootstrap['static_resources'] as { clusters: readonly Record<string, unknown>[] };
  return clusters.flatMap((cluster) => {
    const hosts = [...JSON.stringify(cluster['load_assignment'] ?? {}).matchAll(/"address":"([^"]+)"/g)];
    return hosts.map(([, host = '']) => ({ host, type: cluster['type'] }));
  });
}

/** Services of others: the payment processor, and the user pool that the gateway fetches keys from. */
const OUTSIDE = ['processor.example', 'cognito-idp.eu-central-1.amazonaws.com'];

describe('the mesh', () => {
  it('has no address in its definition', () => {
    expect(JSON.stringify(tokenizationMesh).match(IPV4)).toBeNull();
  });

  it.each(SHIPPED_NODES)('lets the Envoy of %s find every other by a name of DNS', (nodeName) => {
    const others = upstreamsOf(nodeName).filter(({ host }) => !OWN.has(host));
    const services = Object.keys(tokenizationMesh.virtualServices).map((name) =>
      identityOf(tokenizationMesh, name),
    );
    expect(others.filter(({ host, type }) => isIP(host) !== 0 || type !== 'STRICT_DNS')).toEqual([]);
    expect(others.filter(({ host }) => ![...services, ...OUTSIDE].includes(host))).toEqual([]);
    const { backends } =
      tokenizationMesh.virtualNodes[nodeName] ?? tokenizationMesh.virtualGateways[nodeName] ?? {};
    expect(others.length).toBeGreaterThanOrEqual(backends?.length ?? 1);
  });

  it('lets a function find the tokenizer by its name', () => {
    expect(originOf({ mesh: tokenizationMesh })).toBe('https://tokenizer.tokenmesh.internal:8447');
  });
});

describe('what is deployed', () => {
  const sources = sourceFiles().filter((file) => DEPLOYED.test(file));

  it('has no address in its code but its own', () => {
    expect(sources.length).toBeGreaterThan(100);
    const found = sources.flatMap((file) =>
      (
        textOf(file)
          .replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '')
          .match(IPV4) ?? []
      )
        .filter((address) => isIP(address) !== 0 && !OWN.has(address))
        .map((address) => `${file}: ${address}`),
    );
    expect(found).toEqual([]);
  });

  it('names no host with a port in its code: names are of the mesh, ports of its definition', () => {
    const found = sources.filter((file) => /https?:\/\/[a-z0-9.-]+:\d+/.test(textOf(file)));
    expect(found).toEqual([]);
  });
});
