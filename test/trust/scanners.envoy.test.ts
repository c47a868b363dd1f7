/**
 * What scanners that others wrote say of our listeners: sslyze, and h2spec beside an Envoy without our settings.
 *
 * @module
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../local/free-port.ts';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { startEnvoy, type EnvoyProcess } from '../../sidecar/envoy/envoy-process.ts';
import { envoyBinary, untilEnvoyIsReady } from '../support/envoy.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../support/envoy-mesh.ts';
import { issueLeaf } from '../support/issue-certificate.ts';
import { command } from '../support/running-mesh.ts';
import { shown } from './attacks/handshake.ts';
import { buildH2spec, runH2spec } from './h2spec/h2spec.ts';

const START_DEADLINE_MS = 240_000;
const DEADLINE_MS = 300_000;

let envoys: EnvoyMesh;
let bare: { readonly port: number; readonly envoy: EnvoyProcess };
let bin: string;
let h2spec: string;
const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-scanners-'));

beforeAll(async () => {
  ({ bin } = await preparePythonEnvironment({
    projectRoot: join(import.meta.dirname, '..', '..'),
    requirementsFile: join(import.meta.dirname, 'requirements.txt'),
    name: 'trust',
    onProgress: () => undefined,
  }));
  h2spec = await buildH2spec();
  envoys = await startEnvoyMesh(tokenizationMesh, ['gateway', 'tokenizer']);
  bare = await startBareEnvoy();
  const { clients } = envoys.hierarchies;
  const { cert, key } = shown(
    await issueLeaf(clients.subordinate, 'order.tokenmesh.internal'),
    clients.chain,
  );
  writeFileSync(join(directory, 'member.pem'), cert);
  writeFileSync(join(directory, 'member.key'), key);
}, START_DEADLINE_MS);

afterAll(async () => {
  await envoys?.stop();
  await bare?.envoy.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** An Envoy with a listener in clear that answers everything, and nothing of ours. */
async function startBareEnvoy(): Promise<typeof bare> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const at = (value: number) => ({ socket_address: { address: '127.0.0.1', port_value: value } });
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bare',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } },
          ],
        },
      ],
    },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const filters = [{ name: 'http', typed_config: manager }];
  const file = join(directory, 'bare.json');
  writeFileSync(
    file,
    JSON.stringify({
      node: { id: 'bare', cluster: 'bare' },
      admin: { address: at(adminPort) },
      static_resources: { listeners: [{ name: 'bare', address: at(port), filter_chains: [{ filters }] }] },
    }),
  );
  const envoy = startEnvoy(await envoyBinary(), file, 2, 'ignore');
  await untilEnvoyIsReady(`http://127.0.0.1:${adminPort}`);
  return { port, envoy };
}

function listenerOf(node: string): { host: string; port: number } {
  const listener = envoys.nodes[node]?.placement.listener;
  if (listener === undefined) throw new Error(`expected ${node} to be started`);
  return listener;
}

/** What Mozilla's "modern" asks for that a mesh of private CAs with ACM's certificates has not. */
const NOT_OURS = ['certificate_path_validation', 'maximum_certificate_lifespan'];

/** Each protocol and weakness by itself: the client of sslyze for SSL 2 takes no certificate of an elliptic curve, and the verdict on all needs it. */
const ALL_BUT_SSL_2 = [
  ...['--sslv3', '--tlsv1', '--tlsv1_1', '--tlsv1_2', '--tlsv1_3', '--early_data', '--elliptic_curves'],
  ...['--compression', '--reneg', '--heartbleed', '--openssl_ccs', '--fallback', '--robot', '--resum'],
];

describe('sslyze', () => {
  const scan = async (node: string, options: readonly string[]): Promise<string> => {
    const { host, port } = listenerOf(node);
    const asked = ['--slow_connection', '--sni', `${node}.tokenmesh.internal`, ...options];
    return (await command(join(bin, 'sslyze'), [...asked, `${host}:${port}`])).stdout;
  };

  it(
    'finds the gateway as Mozilla\'s "modern" wants it, but for a public CA and a life of 90 days',
    async () => {
      const stdout = await scan('gateway', ['--mozilla_config', 'modern']);
      const verdict = stdout.slice(stdout.indexOf('COMPLIANCE AGAINST'));
      expect(verdict).toContain('"modern" configuration');
      const wanting = [...verdict.matchAll(/^\s+\* (\w+):/gm)].map(([, what = '']) => what);
      expect(wanting.toSorted()).toEqual(NOT_OURS);
      expect(stdout).not.toMatch(/\bVULNERABLE\b/);
    },
    DEADLINE_MS,
  );

  it(
    'finds TLS 1.3 alone at the tokenizer, with its three cipher suites, for who has a certificate',
    async () => {
      const member = ['--cert', join(directory, 'member.pem'), '--key', join(directory, 'member.key')];
      const stdout = await scan('tokenizer', [...member, ...ALL_BUT_SSL_2]);
      const refused = [
        ...stdout.matchAll(/\* (\S+ \S+) Cipher Suites:\s+Attempted[^;]*; the server rejected all/g),
      ];
      expect(refused.map(([, protocol]) => protocol)).toEqual(['SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2']);
      expect(stdout.match(/accepted the following \d+ cipher suites/g)).toEqual([
        'accepted the following 3 cipher suites',
      ]);
      expect([...stdout.matchAll(/\bTLS_[A-Z0-9_]+_SHA\d+/g)].map(([suite]) => suite).toSorted()).toEqual([
        'TLS_AES_128_GCM_SHA256',
        'TLS_AES_256_GCM_SHA384',
        'TLS_CHACHA20_POLY1305_SHA256',
      ]);
      expect(stdout).not.toMatch(/\bVULNERABLE\b|Error when running/);
    },
    DEADLINE_MS,
  );
});

describe('h2spec', () => {
  it(
    'finds no fault with the gateway that it does not find with an Envoy alone',
    async () => {
      const { host, port } = listenerOf('gateway');
      const ours = ['--tls', '--insecure', '--host', host, '--port', String(port)];
      const [alone, gateway] = await Promise.all([
        runH2spec(h2spec, ['--host', '127.0.0.1', '--port', String(bare.port), '--timeout', '3']),
        runH2spec(h2spec, [...ours, '--timeout', '3']),
      ]);
      expect([alone.count, gateway.count]).toEqual([145, 145]);
      const more = gateway.failed.filter((each) => !alone.failed.includes(each));
      // What took too long on a busy machine is asked once more, by itself, with more patience.
      const sections = [...new Set(more.map((each) => each.split(' ')[0] ?? ''))];
      const again =
        sections.length === 0
          ? []
          : (await runH2spec(h2spec, [...sections, ...ours, '--timeout', '10'])).failed;
      expect(more.filter((each) => again.includes(each))).toEqual([]);
    },
    DEADLINE_MS,
  );
});
