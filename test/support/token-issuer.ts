/**
 * An issuer of tokens with keys of its own, published over TLS: what Cognito is to a gateway, with every
 * token that Cognito would never give.
 *
 * @module
 */

import { createHmac } from 'node:crypto';
import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import { clearKey, createTestHierarchy, issueLeaf } from './issue-certificate.ts';

export const CLIENT_ID = 'shop';

export interface TestKey {
  readonly kid: string;
  readonly published: JWK;
  readonly spki: string;
  sign(claims: JWTPayload): Promise<string>;
}

export async function testKey(kid: string): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    kid,
    published: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
    spki: await exportSPKI(publicKey),
    sign: async (claims) =>
      await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey),
  };
}

export interface TestIssuer {
  readonly asPlaced: TokenIssuer;
  /** Answers with these keys from now on. */
  publish(...keys: TestKey[]): void;
  /** How often the keys have been asked for. */
  readonly asked: number;
  /** Answers nothing, or answers again. */
  setDown(isDown: boolean): void;
  /** The claims of an access token of {@link CLIENT_ID} with every scope, good for five minutes. */
  claims(change?: JWTPayload): JWTPayload;
  stop(): Promise<void>;
}

/** @param port - Where it is to listen, on the loopback interface. */
export async function startTestIssuer(port: number): Promise<TestIssuer> {
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-issuer-'));
  const hierarchy = await createTestHierarchy('issuer');
  const leaf = await issueLeaf(hierarchy.subordinate, 'localhost');
  const trustFile = join(directory, 'root.pem');
  writeFileSync(trustFile, hierarchy.root.certificate);
  let published: JWK[] = [];
  let isDown = false;
  let asked = 0;
  const server = createServer(
    { cert: leaf.certificate + hierarchy.chain, key: clearKey(leaf.key) },
    (_message, response) => {
      asked += 1;
      if (isDown) {
        response.destroy();
        return;
      }
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: published }));
    },
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const issuer = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_test';
  return {
    asPlaced: {
      issuer,
      keys: { host: 'localhost', port, path: '/us-east-1_test/.well-known/jwks.json', tls: true, trustFile },
      clientIds: [CLIENT_ID],
    },
    publish(...keys) {
      published = keys.map((key) => key.published);
    },
    get asked() {
      return asked;
    },
    setDown(down) {
      isDown = down;
    },
    claims(change = {}) {
      const now = Math.floor(Date.now() / 1000);
      return {
        iss: issuer,
        sub: 'a-subject',
        client_id: CLIENT_ID,
        token_use: 'access',
        scope: 'tokenmesh/orders.write tokenmesh/orders.read tokenmesh/payments.write',
        iat: now,
        exp: now + 300,
        ...change,
      };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** RFC 7519 section 6: signed by nobody. */
export function unsecured(claims: JWTPayload): string {
  return `${encoded({ alg: 'none' })}.${encoded(claims)}.`;
}

/** The public key taken for a secret: whoever verifies by the token's own `alg` lets everybody in. */
export function signedWithPublicKey({ kid, spki }: TestKey, claims: JWTPayload): string {
  const content = `${encoded({ alg: 'HS256', kid })}.${encoded(claims)}`;
  return `${content}.${createHmac('sha256', spki).update(content).digest('base64url')}`;
}

/** The same signature under other claims. */
export function withClaims(token: string, claims: JWTPayload): string {
  const [header, , signature] = token.split('.');
  return [header, encoded(claims), signature].join('.');
}
