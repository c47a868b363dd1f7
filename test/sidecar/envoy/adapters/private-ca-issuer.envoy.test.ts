import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ACMPCAClient, UpdateCertificateAuthorityCommand } from '@aws-sdk/client-acm-pca';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createHierarchy,
  createShortLivedAuthority,
  type CreatedHierarchy,
} from '../../../../operator/ca/private-ca.ts';
import { freePort } from '../../../../local/free-port.ts';
import { certificateRequest } from '../../../../pki/certificate-request.ts';
import { ISSUER_CLIENT, privateCaIssuer } from '../../../../sidecar/envoy/adapters/private-ca-issuer.ts';
import type {
  CertificateIssuer,
  CertificateOrder,
} from '../../../../sidecar/envoy/cert-agent/issuance/ports.ts';
import { certificateIssuerContract } from '../../../contracts/certificate-issuer.contract.ts';
import { withEmulator } from '../../../support/emulator.ts';

const DEADLINE_MS = 60_000;
const CALLS_A_SECOND = 10;
const CALLS_AT_ONCE = 50;

const clients = withEmulator({
  TOKENMESH_PCA_ISSUE_DELAY_MS: '300',
  TOKENMESH_PCA_ISSUES_PER_SECOND: String(CALLS_A_SECOND),
});

let hierarchy: CreatedHierarchy;

beforeAll(async () => {
  hierarchy = await createHierarchy(clients(), {
    rootCommonName: 'root',
    subordinateCommonName: 'issuing',
    rootValidityDays: 3650,
    subordinateValidityDays: 1825,
    tags: [],
  });
}, DEADLINE_MS);

async function shortLivedAuthority(commonName: string): Promise<string> {
  const wish = { commonName, validityDays: 30, ...hierarchy };
  return (await createShortLivedAuthority(clients().acmPca, wish)).arn;
}

const opened: ACMPCAClient[] = [];
afterAll(() => {
  for (const client of opened) client.destroy();
});

/** An issuer whose calls are its own: the SDK does not try again. */
function issuerOf(arn: string, endpoint?: string): CertificateIssuer {
  const client = new ACMPCAClient({
    ...ISSUER_CLIENT,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    endpoint: endpoint ?? clients().acmPca.config.endpoint,
  });
  opened.push(client);
  return privateCaIssuer(client, { client: arn, server: arn });
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const order = (lifeSeconds = 120): CertificateOrder => ({
  role: 'client',
  request: certificateRequest('order.tokenmesh.internal', privateKey),
  notAfter: new Date(Date.now() + lifeSeconds * 1000),
  idempotencyToken: randomBytes(16).toString('hex'),
});

certificateIssuerContract(async () => {
  const arn = await shortLivedAuthority('contract');
  const { rootCertificate } = hierarchy;
  return { issuer: issuerOf(arn), roots: { client: rootCertificate, server: rootCertificate } };
});

describe('an order that AWS Private CA does not take', () => {
  it(
    'is throttled where there are too many of them',
    async () => {
      const issuer = issuerOf(await shortLivedAuthority('busy'));
      const placed = await Promise.allSettled(
        Array.from({ length: CALLS_AT_ONCE }, async () => await issuer.place(order())),
      );
      const refused = placed.flatMap((each) =>
        each.status === 'rejected' ? [(each.reason as { code: string }).code] : [],
      );
      expect(new Set(refused)).toEqual(new Set(['ERR_ISSUE_THROTTLED']));
      expect(refused.length).toBeLessThan(CALLS_AT_ONCE);
      // The quota of the next test.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
    DEADLINE_MS,
  );

  it(
    'is told as the fault of a CA that is disabled, until it is enabled again',
    async () => {
      const arn = await shortLivedAuthority('disabled');
      const set = async (Status: 'DISABLED' | 'ACTIVE') =>
        await clients().acmPca.send(
          new UpdateCertificateAuthorityCommand({ CertificateAuthorityArn: arn, Status }),
        );
      await set('DISABLED');
      await expect(issuerOf(arn).place(order())).rejects.toMatchObject({
        code: 'ERR_ISSUE_CA_NOT_ACTIVE',
        remedy: expect.stringContaining('--status ACTIVE'),
      });
      await set('ACTIVE');
      await expect(issuerOf(arn).place(order())).resolves.toContain(arn);
    },
    DEADLINE_MS,
  );

  it(
    'is refused where it asks for more than seven days, or of a CA that there is not',
    async () => {
      const arn = await shortLivedAuthority('asked for too much');
      await expect(issuerOf(arn).place(order(8 * 86_400))).rejects.toMatchObject({
        code: 'ERR_ISSUE_REFUSED',
      });
      const unknown = `${arn.slice(0, -4)}0000`;
      await expect(issuerOf(unknown).place(order())).rejects.toMatchObject({ code: 'ERR_ISSUE_REFUSED' });
    },
    DEADLINE_MS,
  );

  it('is told as unavailable where nothing answers', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await expect(issuerOf('arn:of-nobody', nobody).place(order())).rejects.toMatchObject({
      code: 'ERR_ISSUE_UNAVAILABLE',
    });
  });

  it('is told as denied, with the permissions that lack', async () => {
    const server = createServer((_message, response) => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'not authorized' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const issuer = issuerOf('arn:aws:acm-pca:us-east-1:1:certificate-authority/of-others', endpoint);
      const denied = {
        code: 'ERR_ISSUE_DENIED',
        message: expect.stringContaining('acm-pca:IssueCertificate'),
      };
      await expect(issuer.place(order())).rejects.toMatchObject(denied);
      await expect(issuer.collect('client', 'arn')).rejects.toMatchObject(denied);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
