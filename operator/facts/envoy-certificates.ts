import { request } from 'undici';
import { normalizeSerial } from '../../pki/secret.ts';

/** A leaf that an Envoy has loaded, for its listener or for a backend. */
export interface ServedCertificate {
  /** As `normalizeSerial` writes it. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface LoadedCertificates {
  readonly certificates: readonly {
    readonly cert_chain?: readonly {
      readonly serial_number: string;
      readonly valid_from: string;
      readonly expiration_time: string;
    }[];
  }[];
}

/** Asks Envoy's admin interface for what it has loaded. */
export async function servedCertificates(adminUrl: string): Promise<ServedCertificate[]> {
  const { body } = await request(`${adminUrl}/certs`, { headersTimeout: 3_000 });
  const { certificates } = (await body.json()) as LoadedCertificates;
  return certificates.flatMap(({ cert_chain: chain }) =>
    (chain ?? []).map((each) => ({
      serial: normalizeSerial(each.serial_number),
      notBefore: new Date(each.valid_from),
      notAfter: new Date(each.expiration_time),
    })),
  );
}
