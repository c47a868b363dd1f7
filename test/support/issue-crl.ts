import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Authority } from './issue-certificate.ts';

export interface CrlWish {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly revoked?: readonly string[];
  /** Another key than the CA's own. */
  readonly signer?: Authority;
}

const HOUR_MS = 3_600_000;

/** A CA's revocation list, as the CA writes it to its bucket: DER. */
export async function issueCrl(authority: Authority, wish: CrlWish = {}): Promise<Uint8Array> {
  const crl = await x509.X509CrlGenerator.create(
    {
      issuer: `CN=${authority.commonName}`,
      thisUpdate: wish.thisUpdate ?? new Date(Date.now() - HOUR_MS),
      nextUpdate: wish.nextUpdate ?? new Date(Date.now() + 7 * 24 * HOUR_MS),
      entries: (wish.revoked ?? []).map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
      signingAlgorithm: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
      signingKey: (wish.signer ?? authority).keys.privateKey,
    },
    webcrypto,
  );
  return new Uint8Array(crl.rawData);
}
