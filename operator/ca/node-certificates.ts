import {
  AddTagsToCertificateCommand,
  DeleteCertificateCommand,
  KeyAlgorithm,
  RemoveTagsFromCertificateCommand,
  paginateListCertificates,
  type ACMClient,
  type CertificateDetail,
} from '@aws-sdk/client-acm';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { describeCertificate, listTags } from '../../cert-exporter/adapters/acm.ts';
import { callAws } from '../../cert-exporter/adapters/aws-failure.ts';
import { createHandler } from '../../cert-exporter/handler.ts';
import { TokenmeshError } from '../../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import { hierarchyOf } from '../../mesh/identity.ts';
import { OWNER_TAG_KEYS, tagsOf, type CertificateOwner, type Tag } from '../../pki/certificate-owner.ts';
import { mapWithin } from '../../renewal/map-within.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Generation, NodeCertificates } from './ports.ts';
import { requestNodeCertificate, waitUntilIssued } from './private-ca.ts';

/** How many are issued at a time: far from the 25 a second of a CA. */
const AT_A_TIME = 4;

/**
 * The mesh that a certificate waits to belong to, or belonged to: it has node and role among its tags and
 * not the mesh, so that the renewal and the exporter leave it alone.
 */
const WAITS_FOR_MESH = 'tokenmesh:waits-for-mesh';
const REPLACED_IN_MESH = 'tokenmesh:replaced-in-mesh';

export interface NodeCertificateParts {
  readonly acm: ACMClient;
  readonly acmPca: ACMPCAClient;
  readonly secretsManager: SecretsManagerClient;
  readonly meshName: string;
  readonly clock: () => Date;
  readonly logger: Logger;
}

interface Found {
  readonly arn: string;
  readonly node: string;
  readonly role: CertificateRole;
  readonly standing: 'owned' | 'waiting' | 'replaced';
  readonly detail: CertificateDetail;
}

/**
 * The nodes' certificates in ACM. A certificate there stays with the CA that issued it, so one from a new
 * CA is a new certificate. It is requested without an owner, and becomes the node's only when the old one
 * has given up that place: two with one owner would be published in turn by the daily reconcile.
 *
 * Needs, on the mesh's certificates, `acm:ListCertificates`, `DescribeCertificate`, `ListTagsForCertificate`,
 * `RequestCertificate`, `AddTagsToCertificate`, `RemoveTagsFromCertificate`, `DeleteCertificate`, and what
 * the exporter needs.
 */
export function acmNodeCertificates(parts: NodeCertificateParts): NodeCertificates {
  const { acm, meshName } = parts;
  return {
    async issueFrom(hierarchy, generation, progress) {
      const found = await findAll(acm, meshName, hierarchy);
      const places = placesOf(found);
      let done = 0;
      await mapWithin(AT_A_TIME, places, async (place) => {
        await issueOne(parts, place, generation);
        done += 1;
        progress(`${done} of ${places.length} certificates issued`);
      });
    },
    async deleteReplaced(hierarchy, generation) {
      const found = await findAll(acm, meshName, hierarchy);
      const replaced = found.filter(
        ({ standing, detail }) =>
          standing === 'replaced' && detail.CertificateAuthorityArn !== generation.subordinateArn,
      );
      for (const { arn } of replaced) {
        await callAws({ action: 'acm:DeleteCertificate', resource: arn }, async () => {
          await acm.send(new DeleteCertificateCommand({ CertificateArn: arn }));
        });
      }
      return replaced.length;
    },
  };
}

interface Place {
  readonly node: string;
  readonly role: CertificateRole;
  readonly certificates: readonly Found[];
}

function placesOf(found: readonly Found[]): Place[] {
  const byPlace = Map.groupBy(found, ({ node, role }) => `${node}/${role}`);
  return [...byPlace.values()].flatMap((certificates) => {
    const [first] = certificates;
    return first === undefined ? [] : [{ node: first.node, role: first.role, certificates }];
  });
}

async function issueOne(parts: NodeCertificateParts, place: Place, generation: Generation): Promise<void> {
  const { acm, meshName } = parts;
  const owner: CertificateOwner = { mesh: meshName, node: place.node, role: place.role };
  const isNew = ({ detail }: Found): boolean => detail.CertificateAuthorityArn === generation.subordinateArn;
  const owned = place.certificates.find(({ standing }) => standing === 'owned');
  const successor = place.certificates.find((each) => isNew(each) && each.standing !== 'replaced');
  const model = owned ?? place.certificates.find((each) => !isNew(each));
  const arn = successor?.arn ?? (await request(parts, owner, model, generation));
  await waitUntilIssued(acm, arn);
  if (owned !== undefined && owned.arn !== arn) await giveUpPlace(acm, owned.arn, meshName);
  await takePlace(acm, arn, meshName);
  const { clock, logger } = parts;
  const exported = await createHandler({ ...parts, clock, logger })({ certificateArn: arn });
  if (exported.outcome !== 'exported' && exported.outcome !== 'already-exported') throw notPublished(owner);
}

/** The names are those of the certificate that is replaced. */
async function request(
  parts: NodeCertificateParts,
  owner: CertificateOwner,
  model: Found | undefined,
  generation: Generation,
): Promise<string> {
  const domainName = model?.detail.DomainName;
  if (domainName === undefined) throw notPublished(owner);
  const wish = {
    ...owner,
    domainName,
    alternativeNames: (model?.detail.SubjectAlternativeNames ?? []).filter((name) => name !== domainName),
    subordinateArn: generation.subordinateArn,
  };
  const tags = tagsOf(owner).filter(({ key }) => key !== OWNER_TAG_KEYS.mesh);
  return await requestNodeCertificate(parts, wish, [...tags, { key: WAITS_FOR_MESH, value: owner.mesh }]);
}

async function giveUpPlace(acm: ACMClient, arn: string, meshName: string): Promise<void> {
  await retag(acm, arn, { key: REPLACED_IN_MESH, value: meshName }, OWNER_TAG_KEYS.mesh);
}

async function takePlace(acm: ACMClient, arn: string, meshName: string): Promise<void> {
  await retag(acm, arn, { key: OWNER_TAG_KEYS.mesh, value: meshName }, WAITS_FOR_MESH);
}

/** Adds before it removes: at no moment is the certificate one that nobody finds. */
async function retag(acm: ACMClient, arn: string, added: Tag, removedKey: string): Promise<void> {
  await callAws({ action: 'acm:AddTagsToCertificate', resource: arn }, async () => {
    const Tags = [{ Key: added.key, Value: added.value }];
    await acm.send(new AddTagsToCertificateCommand({ CertificateArn: arn, Tags }));
  });
  await callAws({ action: 'acm:RemoveTagsFromCertificate', resource: arn }, async () => {
    const Tags = [{ Key: removedKey }];
    await acm.send(new RemoveTagsFromCertificateCommand({ CertificateArn: arn, Tags }));
  });
}

async function findAll(acm: ACMClient, meshName: string, hierarchy: Hierarchy): Promise<Found[]> {
  const arns: string[] = [];
  const pages = paginateListCertificates(
    { client: acm },
    { Includes: { keyTypes: Object.values(KeyAlgorithm) } },
  );
  for await (const page of pages) {
    for (const { CertificateArn: arn, Type: type } of page.CertificateSummaryList ?? []) {
      if (arn !== undefined && type !== 'IMPORTED' && type !== 'AMAZON_ISSUED') arns.push(arn);
    }
  }
  const found = await mapWithin(AT_A_TIME, arns, async (arn) => await findOne(acm, meshName, arn));
  return found.filter((each) => each !== undefined).filter(({ role }) => hierarchyOf(role) === hierarchy);
}

async function findOne(acm: ACMClient, meshName: string, arn: string): Promise<Found | undefined> {
  const tags = await listTags(acm, arn);
  const valueOf = (key: string): string | undefined => tags.find((each) => each.key === key)?.value;
  const [node, role] = [valueOf(OWNER_TAG_KEYS.node), valueOf(OWNER_TAG_KEYS.role)];
  const standing = standingOf(meshName, valueOf);
  if (node === undefined || (role !== 'client' && role !== 'server') || standing === undefined)
    return undefined;
  const detail = await describeCertificate(acm, arn);
  return detail === undefined ? undefined : { arn, node, role, standing, detail };
}

/** One that is between two tags is what it was before: the change is made again. */
function standingOf(
  meshName: string,
  valueOf: (key: string) => string | undefined,
): Found['standing'] | undefined {
  if (valueOf(WAITS_FOR_MESH) === meshName) return 'waiting';
  if (valueOf(OWNER_TAG_KEYS.mesh) === meshName) return 'owned';
  return valueOf(REPLACED_IN_MESH) === meshName ? 'replaced' : undefined;
}

function notPublished({ node, role }: CertificateOwner): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ROTATION_NOT_PUBLISHED',
    message: `${node}'s ${role} certificate was not issued from the new CA: expected one to be published, got none`,
    remedy: 'see that the certificate in ACM carries the tags of the mesh, then run the command again',
  });
}
