import { DescribeCertificateAuthorityCommand, type ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Hierarchy } from '../../mesh/definition.ts';
import { readCertificate, type CertificateFacts } from '../../pki/certificate.ts';
import { isIssuedBy } from '../../pki/chain.ts';
import {
  authoritiesSecretName,
  crlPlaceOf,
  parseAuthorities,
  type ListingAuthorities,
  type ListingAuthority,
} from '../../pki/revocation.ts';
import { announceCrls } from '../../renewal/adapters/deny-list.ts';
import { changeSharedSecret, type SharedSecret } from '../../renewal/adapters/shared-secret.ts';
import type { Generation, RevocationLists } from './ports.ts';
import { certificateOfAuthority } from './private-ca.ts';

export interface ListingParts {
  readonly acmPca: ACMPCAClient;
  readonly secretsManager: SecretsManagerClient;
  readonly meshName: string;
  readonly clock: () => Date;
}

/**
 * The secret that tells the sidecars which CAs write revocation lists, and where. One without a bucket is
 * not listed: where a mesh checks lists, its sidecars then refuse the new root, and say why.
 *
 * Needs `acm-pca:DescribeCertificateAuthority` and `GetCertificateAuthorityCertificate`, and
 * `secretsmanager:GetSecretValue` and `PutSecretValue` on `<mesh>/revocation/*`.
 */
export function secretRevocationLists(parts: ListingParts): RevocationLists {
  const { acmPca, secretsManager, meshName, clock } = parts;
  return {
    async prepare(hierarchy, generations) {
      const listed = await Promise.all(generations.map(async (each) => await listingOf(acmPca, each)));
      const wanted = listed.flat();
      const roots = generations.map(({ rootCertificate }) => readCertificate(rootCertificate));
      await changeSharedSecret(
        secretsManager,
        authoritiesOf(meshName),
        (found) => ({ ...found, [hierarchy]: merged(found[hierarchy], wanted, roots) }),
        (found) => isWhole(found, hierarchy, wanted),
      );
      await announceCrls(secretsManager, meshName, clock());
    },
  };
}

function authoritiesOf(meshName: string): SharedSecret<ListingAuthorities> {
  return {
    name: authoritiesSecretName(meshName),
    parse: parseAuthorities,
    notWritten: 'ERR_CRL_AUTHORITIES_NOT_WRITTEN',
  };
}

async function listingOf(acmPca: ACMPCAClient, generation: Generation): Promise<ListingAuthority[]> {
  const arns = [generation.rootArn, generation.subordinateArn];
  const listed = await Promise.all(
    arns.map(async (arn): Promise<ListingAuthority[]> => {
      const bucket = await crlBucketOf(acmPca, arn);
      if (bucket === undefined) return [];
      return [{ certificate: await certificateOfAuthority(acmPca, arn), crl: crlPlaceOf(bucket, arn) }];
    }),
  );
  return listed.flat();
}

/** Where a CA writes its list; undefined where it writes none. */
export async function crlBucketOf(acmPca: ACMPCAClient, arn: string): Promise<string | undefined> {
  const command = new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn: arn });
  const { CertificateAuthority: found } = await acmPca.send(command);
  const configuration = found?.RevocationConfiguration?.CrlConfiguration;
  return configuration?.Enabled === true ? configuration.S3BucketName : undefined;
}

/** Beside those of the generations, what else stands under their roots stays: CAs of short-lived mode. */
function merged(
  found: readonly ListingAuthority[],
  wanted: readonly ListingAuthority[],
  roots: readonly CertificateFacts[],
): ListingAuthority[] {
  const others = found.filter(
    (each) =>
      !includes(wanted, each) && roots.some((root) => isIssuedBy(readCertificate(each.certificate), root)),
  );
  return [...wanted, ...others];
}

function isWhole(
  found: ListingAuthorities,
  hierarchy: Hierarchy,
  wanted: readonly ListingAuthority[],
): boolean {
  return wanted.every((each) => includes(found[hierarchy], each));
}

function includes(listed: readonly ListingAuthority[], one: ListingAuthority): boolean {
  return listed.some(({ crl }) => crl.bucket === one.crl.bucket && crl.key === one.crl.key);
}
