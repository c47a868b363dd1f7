import { tlsCertificateSecret, validationContextSecret, type SdsSecret } from '../../mesh/envoy/sds.ts';
import type { BadMaterial } from './bad-material.ts';
import type { SidecarUnderTest } from './sidecar-under-test.ts';

/** What Envoy does with a bad set that nobody judges for it. */
export async function envoyAlone(sidecar: SidecarUnderTest, row: BadMaterial): Promise<string> {
  const restore = await row.spoil(sidecar);
  restore?.();
  const secret = unjudged(sidecar, row);
  if (secret === undefined) return 'cannot be offered';
  const put = await sidecar.sink.put(secret);
  if (put.outcome === 'refused') return 'refuses it';
  const isServed = await sidecar.served(row.about === 'server' ? 'server' : 'client');
  return isServed === undefined ? 'takes it, handshakes fail' : 'takes it, handshakes go on';
}

/** As the sidecar would have made it. */
function unjudged(sidecar: SidecarUnderTest, { about }: BadMaterial): SdsSecret | undefined {
  const { secrets, hierarchies } = sidecar;
  if (about === 'trust-servers') return validationContextSecret(about, secrets.trust.servers.roots);
  if (about === 'crls-clients')
    return validationContextSecret('trust-clients', hierarchies.clients.root.certificate, crlsOf(sidecar));
  const { text, passphrase } = secrets.certificates.server;
  try {
    const { certificate, chain, encryptedPrivateKey } = JSON.parse(text) as Record<string, string>;
    const certificateChain = `${certificate?.trim()}\n${chain?.trim()}\n`;
    return tlsCertificateSecret('server', {
      certificateChain: certificate === '' ? '' : certificateChain,
      encryptedPrivateKey: encryptedPrivateKey ?? '',
      passphrase,
    });
  } catch {
    return undefined;
  }
}

/** The bad one alone where it is an empty file: what a sidecar that joins files would write. */
function crlsOf({ hierarchies, secrets }: SidecarUnderTest): string {
  const lists = [hierarchies.clients.root, hierarchies.clients.subordinate].map(
    ({ commonName }) => secrets.crls.get(`crl/${commonName}.crl`) ?? new Uint8Array(),
  );
  if (lists.some((each) => each.length === 0)) return '';
  return lists.map((each) => pemOf(each)).join('');
}

function pemOf(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
}
