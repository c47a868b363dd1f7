import type { ACMClient } from '@aws-sdk/client-acm';
import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { TokenmeshError } from '../../errors/error.ts';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { authorityTags, generationOf, hierarchyTags } from '../../pki/authority-tags.ts';
import { crlBucketOf } from './listing-authorities.ts';
import type { Authorities, Generation } from './ports.ts';
import { createHierarchy, disableAuthority, findHierarchy, findTagged } from './private-ca.ts';

export interface AuthorityClients {
  readonly acm: ACMClient;
  readonly acmPca: ACMPCAClient;
}

/**
 * The CAs of the mesh in AWS Private CA, found by their tags.
 *
 * Needs `acm-pca:ListCertificateAuthorities`, `ListTags`, `GetCertificateAuthorityCertificate`,
 * `DescribeCertificateAuthority`, `CreateCertificateAuthority`, `TagCertificateAuthority`, `GetCertificateAuthorityCsr`, `IssueCertificate`,
 * `GetCertificate`, `ImportCertificateAuthorityCertificate`, `CreatePermission`, `UpdateCertificateAuthority`.
 */
export function privateAuthorities(clients: AuthorityClients, mesh: Mesh): Authorities {
  return {
    async newest(hierarchy) {
      const place = { mesh: mesh.name, hierarchy };
      const there = await findTagged(clients.acmPca, hierarchyTags(place));
      const numbers = [...new Set(there.map(({ tags }) => generationOf(tags)))].filter((each) => each > 0);
      for (const generation of numbers.toSorted((a, b) => b - a)) {
        const found = await findHierarchy(clients, authorityTags({ ...place, generation }));
        if (found !== undefined) return pick(found, generation);
      }
      throw authorityUnknown(mesh.name, hierarchy);
    },
    async create(hierarchy, generation) {
      const wish = mesh.hierarchies[hierarchy];
      const crlBucket = await crlBucketOfHierarchy(clients.acmPca, mesh, hierarchy);
      const made = await createHierarchy(clients, {
        ...wish,
        // Two CAs of one name would take each other's revocation lists for their own.
        rootCommonName: `${wish.rootCommonName} ${generation}`,
        subordinateCommonName: `${wish.subordinateCommonName} ${generation}`,
        tags: authorityTags({ mesh: mesh.name, hierarchy, generation }),
        ...(crlBucket === undefined ? {} : { crlBucket }),
      });
      return pick(made, generation);
    },
    async disable(generation) {
      const tags = (await findTagged(clients.acmPca, [{ key: 'tokenmesh:mesh', value: mesh.name }])).filter(
        ({ arn, status }) =>
          (arn === generation.rootArn || arn === generation.subordinateArn) && status === 'ACTIVE',
      );
      for (const { arn } of tags) await disableAuthority(clients.acmPca, arn);
    },
  };
}

/** A new CA writes its list to where the ones before it do. */
async function crlBucketOfHierarchy(
  acmPca: ACMPCAClient,
  mesh: Mesh,
  hierarchy: Hierarchy,
): Promise<string | undefined> {
  const there = await findTagged(acmPca, hierarchyTags({ mesh: mesh.name, hierarchy }));
  const buckets = await Promise.all(there.map(async ({ arn }) => await crlBucketOf(acmPca, arn)));
  return buckets.find((each) => each !== undefined);
}

function pick(
  { rootArn, subordinateArn, rootCertificate }: Omit<Generation, 'generation'>,
  generation: number,
): Generation {
  return { generation, rootArn, subordinateArn, rootCertificate };
}

function authorityUnknown(meshName: string, hierarchy: Hierarchy): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_AUTHORITY_UNKNOWN',
    message: `the CA of ${hierarchy} is not found: expected a root and a subordinate with the tags of mesh "${meshName}", got none`,
    remedy: 'tag both with tokenmesh:mesh, tokenmesh:hierarchy and tokenmesh:generation',
  });
}
