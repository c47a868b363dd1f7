import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { DENY_LIST_FILE, denyListFile, PEER_REVOKED_HEADER } from '../../../mesh/envoy/deny-list.ts';
import { PEER_CHECK_HOST } from '../../../mesh/envoy/outbound.ts';
import { sdsFileName, tlsCertificateSdsFile, trustSdsFile } from '../../../mesh/envoy/sds.ts';
import { identityOf } from '../../../mesh/identity.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { readCertificate } from '../../../pki/certificate.ts';
import { judgeCrl } from '../../../pki/crl.ts';
import { normalizeSerial } from '../../../pki/secret.ts';
import { putSecret, startEnvoyMesh, type Answer, type EnvoyMesh } from '../../support/envoy-mesh.ts';
import {
  encryptKey,
  issueCrl,
  issueLeaf,
  type Authority,
  type CrlWish,
} from '../../support/issue-certificate.ts';

const DEADLINE_MS = 240_000;
const PASSPHRASE = 'of the test alone';

let envoys: EnvoyMesh;
beforeAll(async () => {
  envoys = await startEnvoyMesh(tokenizationMesh, ['order', 'paybill', 'tokenizer']);
}, DEADLINE_MS);
afterAll(async () => await envoys?.stop());

const call = async (from: string, headers: Record<string, string> = {}): Promise<Answer> =>
  await envoys.call(from, 'http://tokenizer/healthz', { headers });

async function until(from: string, isWanted: (answer: Answer) => boolean): Promise<Answer> {
  const end = Date.now() + 10_000;
  for (;;) {
    const answer = await call(from);
    if (isWanted(answer) || Date.now() > end) return answer;
    await sleep(20);
  }
}

async function serialOf(from: string): Promise<string> {
  const { headers } = await envoys.call(from, 'http://tokenizer/.tokenmesh/peer');
  return normalizeSerial(String(headers['x-tokenmesh-peer-serial']));
}

function put(nodeName: string, fileName: string, contents: unknown): void {
  const node = envoys.nodes[nodeName];
  if (node === undefined) throw new Error(`${nodeName} was not started`);
  putSecret(node.placement, fileName, contents);
}

/** Waits until Envoy has taken note: the machine may be busy. */
async function putAndWait(
  nodeName: string,
  fileName: string,
  contents: unknown,
  counter: string,
): Promise<void> {
  const before = await stat(nodeName, counter);
  put(nodeName, fileName, contents);
  const end = Date.now() + 5_000;
  while ((await stat(nodeName, counter)) === before && Date.now() < end) await sleep(20);
}

async function deny(...serials: string[]): Promise<void> {
  const counter = 'extension_config_discovery.http_filter.revoked.update_success';
  await putAndWait('tokenizer', DENY_LIST_FILE, denyListFile(serials), counter);
}

/** Gives a caller another certificate, and waits until a connection made for it shows it. */
async function giveCertificate(nodeName: string, serial: string): Promise<void> {
  const { subordinate, chain } = envoys.hierarchies.clients;
  const leaf = await issueLeaf(subordinate, identityOf(tokenizationMesh, nodeName), { serial });
  const material = {
    certificateChain: leaf.certificate + chain,
    encryptedPrivateKey: encryptKey(leaf.key, PASSPHRASE),
    passphrase: PASSPHRASE,
  };
  put(nodeName, sdsFileName('client'), tlsCertificateSdsFile('client', material));
  const end = Date.now() + 5_000;
  for (let seen = ''; seen !== normalizeSerial(serial) && Date.now() < end;) {
    const { headers } = await envoys.call(nodeName, `http://${PEER_CHECK_HOST}/.tokenmesh/peer`);
    seen = normalizeSerial(String(headers['x-tokenmesh-peer-serial']));
  }
}

async function stat(nodeName: string, name: string): Promise<number> {
  const { body } = await request(
    `${envoys.nodes[nodeName]?.adminUrl}/stats?format=json&filter=${encodeURIComponent(`^${name}$`)}`,
  );
  const { stats } = (await body.json()) as { stats: { value?: number }[] };
  return stats[0]?.value ?? 0;
}

describe('the deny list', () => {
  it('refuses a caller by its serial, on the connection that is open, with a problem that says what to do', async () => {
    const serial = await serialOf('order');
    expect((await call('order')).status).toBe(200);
    await deny(serial);
    const { status, headers, body } = await until('order', (answer) => answer.status !== 200);
    expect(status).toBe(403);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['x-tokenmesh-refused-by']).toBe('envoy');
    expect(JSON.parse(body)).toMatchObject({
      code: 'ERR_PEER_REVOKED',
      remedy: expect.stringContaining('npm run mesh -- rotate <node>'),
    });
    expect((await call('paybill')).status).toBe(200);
  });

  it('stands before every right, and counts for itself', async () => {
    const before = await stat('tokenizer', 'http.inbound.rbac.revoked.denied');
    const peerCheck = await envoys.call('order', 'http://tokenizer/.tokenmesh/peer');
    const unknown = await envoys.call('order', 'http://tokenizer/no/such/route');
    expect([peerCheck.status, unknown.status]).toEqual([403, 403]);
    expect(JSON.parse(unknown.body)).toMatchObject({ code: 'ERR_PEER_REVOKED' });
    expect(await stat('tokenizer', 'http.inbound.rbac.revoked.denied')).toBeGreaterThan(before);
  });

  it('ends each connection that it refused', async () => {
    const before = await stat('order', 'cluster.tokenizer.upstream_cx_total');
    await call('order');
    await call('order');
    expect(await stat('order', 'cluster.tokenizer.upstream_cx_total')).toBeGreaterThan(before + 1);
  });

  it('knows a serial whose first digit is a zero', async () => {
    await giveCertificate('order', `0${'a'.repeat(31)}`);
    expect((await until('order', ({ status }) => status === 200)).status).toBe(200);
    await deny('a'.repeat(31));
    expect((await until('order', ({ status }) => status !== 200)).status).toBe(403);
  });

  it('lets the next request through once the caller has another certificate, and stays as it is', async () => {
    await giveCertificate('order', '4f01');
    expect((await call('order')).status).toBe(200);
  });

  it('sends a request again that hit the old connection of a rotated caller: its app sees no refusal', async () => {
    expect((await call('order')).status).toBe(200);
    await giveCertificate('order', '4f02');
    await deny('4f01');
    const before = await stat('tokenizer', 'http.inbound.rbac.revoked.denied');
    expect((await call('order')).status).toBe(200);
    expect(await stat('tokenizer', 'http.inbound.rbac.revoked.denied')).toBe(before + 1);
  });

  it('cannot be talked to by a caller, nor by an app', async () => {
    const claimed = { 'x-tokenmesh-peer-serial': '4f01', [PEER_REVOKED_HEADER]: 'true' };
    expect((await call('paybill', claimed)).status).toBe(200);
    await deny(await serialOf('paybill'));
    await until('paybill', ({ status }) => status !== 200);
    const innocent = { 'x-tokenmesh-peer-serial': '4f02' };
    expect((await call('paybill', innocent)).status).toBe(403);
    await deny();
    expect((await until('paybill', ({ status }) => status === 200)).status).toBe(200);
  });

  it('goes on as it was where its file is not readable', async () => {
    const serial = await serialOf('paybill');
    await deny(serial);
    expect((await until('paybill', ({ status }) => status !== 200)).status).toBe(403);
    put('tokenizer', DENY_LIST_FILE, { resources: [{ '@type': 'no such type' }] });
    await sleep(500);
    expect((await call('paybill')).status).toBe(403);
    await deny();
    expect((await until('paybill', ({ status }) => status === 200)).status).toBe(200);
  });

  it('takes ten thousand serials', async () => {
    const serial = await serialOf('paybill');
    await deny(
      serial,
      ...Array.from({ length: 10_000 }, (_none, index) => (index + 0x10000000).toString(16)),
    );
    expect((await until('paybill', ({ status }) => status !== 200)).status).toBe(403);
    expect((await call('order')).status).toBe(200);
    await deny();
    expect((await until('paybill', ({ status }) => status === 200)).status).toBe(200);
  });
});

describe('CRLs in the trust that Envoy has', () => {
  const HOUR_MS = 3_600_000;

  async function pemOf(authority: Authority, wish: CrlWish = {}): Promise<string> {
    const { facts } = await judgeCrl({
      der: await issueCrl(authority, wish),
      authority: readCertificate(authority.certificate),
      now: new Date(),
    });
    return facts?.pem ?? '';
  }

  async function trust(crls: string | undefined): Promise<void> {
    const { root } = envoys.hierarchies.clients;
    const contents = trustSdsFile('trust-clients', root.certificate, crls);
    const counter = 'listener.inbound.server_ssl_socket_factory.ssl_context_update_by_sds';
    await putAndWait('tokenizer', sdsFileName('trust-clients'), contents, counter);
  }

  /** Over a new connection with this certificate: the one of before is ended by the deny list. */
  async function freshCall(nodeName: 'order' | 'paybill', serial: string): Promise<number> {
    const before = await serialOf(nodeName);
    await giveCertificate(nodeName, serial);
    await deny(before);
    return (await call(nodeName)).status;
  }

  it.each<[what: string, crls: () => Promise<string | undefined>, order: number, paybill: number]>([
    [
      'refuse a revoked peer in the handshake, and no other',
      async () => {
        const { root, subordinate } = envoys.hierarchies.clients;
        return (await pemOf(root)) + (await pemOf(subordinate, { serials: ['4f11'] }));
      },
      503,
      200,
    ],
    [
      'refuse everyone where the list of one CA of the chain is missing',
      async () => await pemOf(envoys.hierarchies.clients.subordinate),
      503,
      503,
    ],
    [
      'refuse everyone where one is past its nextUpdate',
      async () => {
        const { root, subordinate } = envoys.hierarchies.clients;
        const past = new Date(Date.now() - HOUR_MS);
        const thisUpdate = new Date(Date.now() - 2 * HOUR_MS);
        return (await pemOf(root)) + (await pemOf(subordinate, { thisUpdate, nextUpdate: past }));
      },
      503,
      503,
    ],
    ['let everyone in where there are none', async () => undefined, 200, 200],
  ])(
    '%s',
    async (_what, crls, order, paybill) => {
      await giveCertificate('order', '4f10');
      await giveCertificate('paybill', '4f20');
      await trust(await crls());
      expect(await freshCall('order', '4f11')).toBe(order);
      expect(await freshCall('paybill', '4f21')).toBe(paybill);
    },
    DEADLINE_MS,
  );
});
