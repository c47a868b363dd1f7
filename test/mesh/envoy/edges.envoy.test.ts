import { afterEach, describe, expect, it } from '@jest/globals';
import type { Mesh } from '../../../mesh/definition.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { listenerCounters } from '../../../operator/facts/envoy-admin.ts';
import { probePlaintext, probeTls } from '../../../operator/facts/probe.ts';
import { clearKey, issueLeaf } from '../../support/issue-certificate.ts';
import { startEnvoyMesh, type EnvoyMesh, type EnvoyNode } from '../../support/envoy-mesh.ts';
import { withNode, withOneWayOrder } from '../../support/meshes.ts';

const DEADLINE_MS = 240_000;

let running: EnvoyMesh | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(mesh: Mesh, ...nodeNames: string[]): Promise<EnvoyMesh> {
  running = await startEnvoyMesh(mesh, nodeNames);
  return running;
}

function nodeOf(mesh: EnvoyMesh, name: string): EnvoyNode {
  const node = mesh.nodes[name];
  if (node === undefined) throw new Error(`${name} was not started`);
  return node;
}

describe('an edge between two Envoys', () => {
  it(
    'is mutual as shipped, goes to one-way TLS, and back',
    async () => {
      for (const [mesh, mutual] of [
        [tokenizationMesh, true],
        [withOneWayOrder(), false],
        [tokenizationMesh, true],
      ] as const) {
        const envoys = await start(mesh, 'gateway', 'order');
        const answer = await envoys.call('gateway', 'http://order/orders', { method: 'POST' });
        expect(answer.status).toBe(200);
        const counted = await listenerCounters(nodeOf(envoys, 'order').adminUrl);
        expect(counted.handshake).toBeGreaterThanOrEqual(1);
        expect(counted.noCertificate).toBe(mutual ? 0 : counted.handshake);
        expect(Object.keys(counted.versions)).toEqual(['TLSv1.3']);
        const { 'x-tokenmesh-identity': identity } = JSON.parse(answer.body) as Record<string, string>;
        expect(identity).toBe(mutual ? 'gateway.tokenmesh.internal' : undefined);
        await envoys.stop();
      }
    },
    DEADLINE_MS,
  );

  it(
    'hands the verified identity to the app, whatever the caller claims',
    async () => {
      const envoys = await start(tokenizationMesh, 'order', 'tokenizer');
      const { body } = await envoys.call('order', 'http://tokenizer/v1/tokens', {
        method: 'POST',
        headers: {
          'x-tokenmesh-identity': 'paybill.tokenmesh.internal',
          'x-forwarded-client-cert': 'DNS=paybill.tokenmesh.internal',
        },
      });
      const seen = JSON.parse(body) as Record<string, string>;
      expect(seen['x-tokenmesh-identity']).toBe('order.tokenmesh.internal');
      expect(seen['x-forwarded-client-cert']).toContain('DNS=order.tokenmesh.internal');
      expect(body).not.toContain('paybill');
    },
    DEADLINE_MS,
  );

  it(
    'takes no claimed identity from a caller without a certificate',
    async () => {
      const envoys = await start(withOneWayOrder(), 'gateway', 'order');
      const { body } = await envoys.call('gateway', 'http://order/orders', {
        method: 'POST',
        headers: { 'x-tokenmesh-identity': 'gateway.tokenmesh.internal' },
      });
      expect(JSON.parse(body)).not.toHaveProperty('x-tokenmesh-identity');
    },
    DEADLINE_MS,
  );
});

describe('an Envoy that is stopped', () => {
  it(
    'answers what is under way first',
    async () => {
      const envoys = await start(tokenizationMesh, 'order', 'tokenizer');
      const slow = envoys.call('order', 'http://tokenizer/v1/tokens', {
        method: 'POST',
        headers: { 'x-answer-after-ms': '1500' },
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await envoys.stopEnvoy('tokenizer');
      expect((await slow).status).toBe(200);
      expect((await envoys.call('order', 'http://tokenizer/healthz')).status).toBe(503);
    },
    DEADLINE_MS,
  );
});

describe('a caller', () => {
  it(
    'cannot make Envoy send a request again, or wait longer',
    async () => {
      const envoys = await start(tokenizationMesh, 'order', 'tokenizer');
      const { status } = await envoys.call('order', 'http://tokenizer/v1/tokens', {
        method: 'POST',
        headers: { 'x-answer': '503', 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '3' },
      });
      expect(status).toBe(503);
      const { adminUrl } = nodeOf(envoys, 'tokenizer');
      const stats = await fetch(
        `${adminUrl}/stats?filter=${encodeURIComponent('^cluster\\.app\\.upstream_rq_total$')}`,
      );
      expect(await stats.text()).toContain('upstream_rq_total: 1\n');
    },
    DEADLINE_MS,
  );
});

describe('a permissive listener', () => {
  it(
    'takes plaintext and mutual TLS, and grants plaintext no right',
    async () => {
      const mesh = withNode('tokenizer', (node) => ({
        ...node,
        listener: { ...node.listener, tls: { mode: 'PERMISSIVE', clientValidation: { trust: 'clients' } } },
      }));
      const envoys = await start(mesh, 'order', 'tokenizer');
      const { listener } = nodeOf(envoys, 'tokenizer').placement;
      expect((await envoys.call('order', 'http://tokenizer/v1/tokens', { method: 'POST' })).status).toBe(200);
      expect(await probePlaintext(listener, 'tokenizer', '/healthz')).toEqual({
        outcome: 'answered',
        status: 403,
      });
    },
    DEADLINE_MS,
  );
});

describe('a listener without TLS', () => {
  it(
    'takes plaintext from anyone it is open to',
    async () => {
      const mesh = withNode('outsider', (node) => ({
        ...node,
        backends: [],
        listener: {
          ...node.listener,
          tls: { mode: 'DISABLED' },
          operations: [{ name: 'health', method: 'GET', path: '/healthz', callers: 'anyone' }],
        },
      }));
      const envoys = await start(mesh, 'outsider');
      const { listener } = nodeOf(envoys, 'outsider').placement;
      expect(await probePlaintext(listener, 'outsider', '/healthz')).toEqual({
        outcome: 'answered',
        status: 200,
      });
      expect(await probePlaintext(listener, 'outsider', '/else')).toEqual({
        outcome: 'answered',
        status: 403,
      });
    },
    DEADLINE_MS,
  );
});

describe('a strict mutual listener', () => {
  it(
    'refuses a member whose client certificate the servers hierarchy issued, and counts it',
    async () => {
      const envoys = await start(tokenizationMesh, 'tokenizer');
      const { adminUrl, placement } = nodeOf(envoys, 'tokenizer');
      const { servers, clients } = envoys.hierarchies;
      const attempt = async (hierarchy: typeof servers): Promise<unknown> => {
        const leaf = await issueLeaf(hierarchy.subordinate, 'order.tokenmesh.internal');
        return await probeTls({
          listener: placement.listener,
          servername: 'tokenizer.tokenmesh.internal',
          trust: servers.root.certificate,
          path: '/healthz',
          credentials: { cert: leaf.certificate + hierarchy.chain, key: clearKey(leaf.key) },
        });
      };
      expect(await attempt(servers)).toMatchObject({ outcome: 'refused' });
      expect((await listenerCounters(adminUrl)).failVerifyError).toBe(1);
      expect(await attempt(clients)).toMatchObject({ outcome: 'answered', status: 200, tls: 'TLSv1.3' });
    },
    DEADLINE_MS,
  );

  it(
    'answers with problem documents, and says nothing of what it was sent',
    async () => {
      const envoys = await start(tokenizationMesh, 'outsider', 'tokenizer');
      const denied = await envoys.call('outsider', 'http://tokenizer/v1/tokens/not-yours', {
        method: 'DELETE',
      });
      expect(denied.status).toBe(403);
      expect(denied.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(denied.body)).toMatchObject({
        code: 'ERR_MESH_DENIED',
        status: 403,
        remedy: expect.any(String),
      });
      expect(denied.body).not.toContain('not-yours');
      const nowhere = await envoys.call('outsider', 'http://nowhere/');
      expect(nowhere.status).toBe(404);
      expect(JSON.parse(nowhere.body)).toMatchObject({ code: 'ERR_ROUTE_UNKNOWN', status: 404 });
      const down = await envoys.call('outsider', 'http://paybill/healthz');
      expect(down.status).toBe(503);
      expect(JSON.parse(down.body)).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE', status: 503 });
      expect(down.headers['retry-after']).toBe('1');
    },
    DEADLINE_MS,
  );
});
