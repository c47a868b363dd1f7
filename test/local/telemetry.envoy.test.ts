/**
 * What a running mesh tells of itself: every metric of the list and no other, lines for CloudWatch, the facts
 * of a node, and one trace from the gateway to the tokenizer with nothing of a value in it.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { freePort } from '../../local/free-port.ts';
import { orderAndPay } from '../../local/traffic.ts';
import { listenerMode, memberOf } from '../../mesh/edges.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import type { CheckResult } from '../../operator/checks/check.ts';
import type { NodeFacts } from '../../operator/facts/node.ts';
import { nodeState, type NodeState } from '../../operator/run-state.ts';
import { ALARMS } from '../../runtime/metrics/alarms.ts';
import { METRICS, type Metric, type MetricSource } from '../../runtime/metrics/catalogue.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { scrape } from '../../sidecar/envoy/scrape.ts';
import { anchorsOf, ROOT } from '../support/documents.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';
import { startOtlpReceiver, type Span } from '../support/otlp-receiver.ts';
import { shopOf } from '../../local/shop-of.ts';

const DEADLINE_MS = 60_000;

const port = await freePort();
const receiver = await startOtlpReceiver(port);
const suite = meshOfSuite({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  TOKENMESH_EMF_SECONDS: '1',
});
afterAll(() => receiver.stop());

/** What a node exposes, by source: names with the labels of their first series. */
async function exposedBy(node: NodeState): Promise<Record<MetricSource, Map<string, string[]>>> {
  const { hostname, port: admin } = new URL(node.adminUrl);
  const [agent, envoy, app] = await Promise.all([
    scrape({ socket: node.agentSocket }, '/metrics'),
    scrape({ host: hostname, port: Number(admin) }, '/stats/prometheus'),
    node.name === 'tokenizer' ? scrape({ socket: node.appSocket ?? '' }, '/metrics') : '',
  ]);
  return { agent: familiesIn(agent), envoy: familiesIn(envoy), tokenizer: familiesIn(app) };
}

/** Those that are told of, with or without a series. */
function familiesIn(text: string): Map<string, string[]> {
  const families = new Map(
    [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => [name, [] as string[]]),
  );
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_]+)\{([^}]*)\}/gm)) {
    const family = name.replace(/_(bucket|sum|count)$/, '');
    const key = families.has(name) ? name : family;
    if (families.get(key)?.length === 0)
      families.set(
        key,
        [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
      );
  }
  return families;
}

function isExpectedOf({ nodes }: Metric, { name, certificateSource }: NodeState): boolean {
  const member = memberOf(tokenizationMesh, name);
  if (nodes === 'gateways') return name in tokenizationMesh.virtualGateways;
  if (nodes === 'short-lived') return certificateSource === 'short-lived';
  return nodes !== 'mutual' || (member !== undefined && listenerMode(member.listener) === 'mtls');
}

describe('the list of metrics', () => {
  it(
    'is what each node exposes: all of it, with its labels',
    async () => {
      for (const node of suite.state.nodes) {
        const exposed = await exposedBy(node);
        const sources: MetricSource[] =
          node.name === 'tokenizer' ? ['tokenizer', 'agent', 'envoy'] : ['agent', 'envoy'];
        for (const source of sources) {
          const wanted = METRICS.filter((each) => each.source === source && isExpectedOf(each, node));
          expect(wanted.length).toBeGreaterThan(5);
          for (const { name, labels } of wanted) {
            const found = exposed[source].get(name);
            // Told of without a series yet, or with the labels that the list has.
            const missing =
              found?.length === 0 ? [] : labels.filter((label) => found?.includes(label) !== true);
            expect({ name, isExposed: found !== undefined, missing }).toEqual({
              name,
              isExposed: true,
              missing: [],
            });
          }
        }
      }
    },
    DEADLINE_MS,
  );

  it(
    'has every metric of ours that a node exposes',
    async () => {
      const known = new Set(METRICS.map(({ name }) => name));
      for (const node of suite.state.nodes) {
        const { agent, tokenizer } = await exposedBy(node);
        const ours = [...agent.keys(), ...tokenizer.keys()].filter((name) => name.startsWith('tokenmesh_'));
        expect(ours.length).toBeGreaterThan(3);
        expect(ours.filter((name) => !known.has(name))).toEqual([]);
      }
    },
    DEADLINE_MS,
  );

  it(
    'has an alarm only of what is exposed, each with its entry in the runbook',
    async () => {
      const everywhere = await Promise.all(suite.state.nodes.map(exposedBy));
      const exposed = new Set(
        everywhere.flatMap((each) => Object.values(each).flatMap((map) => [...map.keys()])),
      );
      const shortLived = METRICS.filter(({ nodes }) => nodes === 'short-lived').map(({ name }) => name);
      // A sidecar tells of them too, with no series, where it has no short-lived certificate.
      expect(shortLived.filter((name) => !exposed.has(name))).toEqual([]);
      expect(ALARMS.filter(({ metric }) => !exposed.has(metric))).toEqual([]);
      const headings = anchorsOf('docs/runbook.md');
      expect(ALARMS.filter(({ runbook }) => !headings.includes(runbook))).toEqual([]);
    },
    DEADLINE_MS,
  );
});

describe('a sidecar', () => {
  it(
    'writes lines for CloudWatch to its log',
    async () => {
      const file = join(suite.state.directory, 'sidecar-of-tokenizer.log');
      const lines = (): Record<string, unknown>[] =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('{"_aws"'))
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      const names = (): Set<string> => new Set(lines().flatMap((line) => Object.keys(line)));
      const wanted = [
        'tokenmesh_certificate_behind',
        'tokenmesh_branch_key_good_for_seconds',
        'envoy_server_days_until_first_cert_expiring',
        'envoy_listener_ssl_handshake',
      ];
      for (let look = 0; look < 100 && !wanted.every((name) => names().has(name)); look += 1)
        await sleep(100);
      expect([...names()]).toEqual(expect.arrayContaining(wanted));
      expect(new Set(lines().map((line) => line['node']))).toEqual(new Set(['tokenizer']));
    },
    DEADLINE_MS,
  );

  it(
    'prints the facts of its node from within its container, which the operator judges',
    async () => {
      const node = nodeState(suite.state, 'order');
      const home = join(node.agentSocket, '..');
      const facts = spawnSync('npm', ['exec', '-c', 'node operator/facts-of-this-node.ts'], {
        cwd: ROOT,
        encoding: 'utf8',
        env: {
          ...process.env,
          TOKENMESH_NODE: 'order',
          TOKENMESH_PLACEMENT: join(home, 'placement.json'),
          TOKENMESH_RUN_DIRECTORY: join(home, 'run'),
          TOKENMESH_AGENT_SOCKET: node.agentSocket,
        },
      });
      expect(facts.status).toBe(0);
      const printed = JSON.parse(facts.stdout) as NodeFacts;
      expect(printed).toMatchObject({ node: 'order', sidecar: { ready: true } });
      expect(printed.listener?.handshake).toBeGreaterThan(0);
      // As ECS Exec shows it, with lines of its own.
      const judged = await mesh(
        suite.run,
        ['verify-node', '-', '--json'],
        `Starting session\n${facts.stdout}\nExiting\n`,
      );
      const checks = JSON.parse(judged.stdout) as CheckResult[];
      expect(judged.code).toBe(0);
      expect(checks.length).toBe(11);
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      const silent = await mesh(
        suite.run,
        ['verify-node', '-'],
        JSON.stringify({ node: 'order', at: printed.at }),
      );
      expect(silent.code).toBe(1);
      expect(silent.stdout).toContain('1 of 11 checks held; 10 could not be looked at');
      expect((await mesh(suite.run, ['verify-node', '-'], 'nothing')).stderr).toContain(
        'facts-of-this-node.ts',
      );
    },
    DEADLINE_MS,
  );
});

describe('a trace', () => {
  const card = testCard('visa', 16);

  async function placeOrder(traceparent?: string): Promise<void> {
    const { state } = suite;
    const shop = await shopOf(state);
    try {
      await orderAndPay(shop, card);
      if (traceparent === undefined) return;
      const { body } = await request(`${state.gatewayUrl}/orders/${encodeURIComponent('no-such-order')}`, {
        dispatcher: shop.dispatcher,
        headers: { authorization: `Bearer ${shop.token}`, traceparent, 'user-agent': `card ${card.number}` },
      });
      await body.dump();
    } finally {
      await shop.dispatcher.close();
    }
  }

  /** The way from a span up to the first of its trace, by service. */
  function wayTo(span: Span): string[] {
    const parent = receiver.spans.find(
      ({ spanId, traceId }) => traceId === span.traceId && spanId === span.parentSpanId,
    );
    return [...(parent === undefined ? [] : wayTo(parent)), span.service];
  }

  it(
    'goes from the gateway by order to the tokenizer, each span the child of the one before',
    async () => {
      await placeOrder();
      const found = (): Span | undefined =>
        receiver.spans.findLast(
          (span) =>
            span.service === 'tokenizer' &&
            span.name === 'POST /v1/tokens' &&
            wayTo(span).some((service) => service === 'order'),
        );
      for (let look = 0; look < 150 && wayTo(found() ?? NO_SPAN)[0] !== 'gateway-envoy'; look += 1)
        await sleep(100);
      const span = found() ?? NO_SPAN;
      const way = wayTo(span).filter((service, index, all) => service !== all[index - 1]);
      expect(way).toEqual([
        'gateway-envoy',
        'order-envoy',
        'order',
        'order-envoy',
        'tokenizer-envoy',
        'tokenizer',
      ]);
      const names = receiver.spans.filter(({ traceId }) => traceId === span.traceId).map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(['orders.place', 'POST /orders', 'tokens.create', 'POST /v1/tokens']),
      );
      expect(span.attributes).toMatchObject({
        'http.route': '/v1/tokens',
        'http.response.status_code': '201',
      });
    },
    DEADLINE_MS,
  );

  it(
    'begins at the gateway, whatever a caller outside sends',
    async () => {
      const theirs = '4bf92f3577b34da6a3ce929d0e0e4736';
      await placeOrder(`00-${theirs}-00f067aa0ba902b7-01`);
      const read = (): Span | undefined =>
        receiver.spans.find(({ service, name }) => service === 'order' && name === 'GET /orders/:orderId');
      for (let look = 0; look < 150 && read() === undefined; look += 1) await sleep(100);
      expect(read()).toBeDefined();
      expect(receiver.spans.filter(({ traceId }) => traceId === theirs)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'has neither a card number nor a token nor a path in it, as it goes over the wire',
    async () => {
      const { document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', {
        fields: { card: { class: 'pan', value: card.number } },
      });
      const token = String(document['token']);
      await callAs(suite.state, 'order', 'GET', `/v1/tokens/${token}`);
      const seen = (): Span | undefined =>
        receiver.spans.find(({ service, name }) => service === 'tokenizer-envoy' && name === 'tokens.read');
      for (let look = 0; look < 150 && seen() === undefined; look += 1) await sleep(100);
      expect(seen()).toBeDefined();
      await sleep(1_500);
      expect(receiver.bodies.length).toBeGreaterThan(5);
      for (const secret of [card.number, token, 'no-such-order', 'Bearer'])
        expect(receiver.bodies.filter((body) => body.includes(secret)).length).toBe(0);
    },
    DEADLINE_MS,
  );
});

const NO_SPAN: Span = {
  service: 'none',
  name: '',
  traceId: '',
  spanId: '',
  parentSpanId: '',
  attributes: {},
};
