/**
 * What stands in Secrets Manager about revocation, and under which names.
 *
 * Two secrets for the whole mesh. The deny list holds the serials that are out as of now; the CAs'
 * own lists follow minutes later. The other says which CAs there are and where each writes its list: a
 * CA must stand in it before a root that leads to it is trusted.
 *
 * @module
 */

import type { CertificateRole, Hierarchy } from '../mesh/definition.ts';
import { TokenmeshError } from '../errors/error.ts';

export interface DeniedCertificate {
  /** As `normalizeSerial` writes it. */
  readonly serial: string;
  readonly node: string;
  readonly role: CertificateRole;
  readonly revokedAt: string;
  /** The certificate's notAfter: from then on it is refused anyway. */
  readonly expiresAt: string;
}

export interface DenyList {
  readonly denied: readonly DeniedCertificate[];
  /** When a CA last said that it had written its list: a later time than before makes everybody fetch. */
  readonly crlsPublishedAt?: string;
}

/** Where a CA writes its list: `crl/<id of the CA>.crl` in the bucket of its CrlConfiguration. */
export interface CrlPlace {
  readonly bucket: string;
  readonly key: string;
}

export interface ListingAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly crl: CrlPlace;
}

/** Every CA whose certificates may come along, roots too: Envoy wants a list for each CA of a chain. */
export type ListingAuthorities = Readonly<Record<Hierarchy, readonly ListingAuthority[]>>;

export function denyListSecretName(meshName: string): string {
  return `${meshName}/revocation/deny-list`;
}

export function authoritiesSecretName(meshName: string): string {
  return `${meshName}/revocation/authorities`;
}

/** As ACM Private CA does, for a CA with no custom path. */
export function crlPlaceOf(bucket: string, authorityArn: string): CrlPlace {
  return { bucket, key: `crl/${authorityArn.split('/')[1] ?? ''}.crl` };
}

export const EMPTY_DENY_LIST: DenyList = { denied: [] };

/**
 * Adds certificates, and drops those that have expired: Envoy refuses them by their dates. Nothing
 * else ever leaves the list.
 */
export function withDenied(list: DenyList, added: readonly DeniedCertificate[], now: Date): DenyList {
  const kept = list.denied.filter(
    ({ serial, expiresAt }) => new Date(expiresAt) > now && !added.some((each) => each.serial === serial),
  );
  return { ...list, denied: [...kept, ...added] };
}

/** @throws {TokenmeshError} `ERR_DENY_LIST_UNUSABLE` */
export function parseDenyList(secretName: string, text: string): DenyList {
  const found = parse(text) as Partial<DenyList> | undefined;
  const denied: unknown = found?.denied;
  if (Array.isArray(denied) && denied.every(isDenied) && isTime(found?.crlsPublishedAt, true)) {
    return found as DenyList;
  }
  throw new TokenmeshError({
    code: 'ERR_DENY_LIST_UNUSABLE',
    message: `secret "${secretName}" is not usable: expected { denied: [{ serial, node, role, revokedAt, expiresAt }] }, got something else`,
    remedy: 'put its last version back (AWSPREVIOUS); every sidecar goes on with the list that it has',
  });
}

/** @throws {TokenmeshError} `ERR_CRL_AUTHORITIES_UNUSABLE` */
export function parseAuthorities(secretName: string, text: string): ListingAuthorities {
  const found = parse(text);
  if (isRecord(found) && [found['clients'], found['servers']].every(isAuthorities)) {
    return found as unknown as ListingAuthorities;
  }
  throw new TokenmeshError({
    code: 'ERR_CRL_AUTHORITIES_UNUSABLE',
    message: `secret "${secretName}" is not usable: expected { clients, servers }, each with the certificate and the CRL's bucket and key of every CA, got something else`,
    remedy: 'write into it every root and every issuing CA of both hierarchies, with the place of its CRL',
  });
}

function isDenied(each: unknown): each is DeniedCertificate {
  return (
    isRecord(each) &&
    typeof each['serial'] === 'string' &&
    /^(?:0|[1-9a-f][\da-f]*)$/.test(each['serial']) &&
    typeof each['node'] === 'string' &&
    (each['role'] === 'client' || each['role'] === 'server') &&
    isTime(each['revokedAt']) &&
    isTime(each['expiresAt'])
  );
}

function isTime(value: unknown, optional = false): boolean {
  if (value === undefined) return optional;
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isAuthorities(list: unknown): list is ListingAuthority[] {
  return (
    Array.isArray(list) &&
    list.length > 0 &&
    list.every((each) => {
      const crl: unknown = isRecord(each) ? each['crl'] : undefined;
      return (
        isRecord(each) &&
        typeof each['certificate'] === 'string' &&
        isRecord(crl) &&
        [crl['bucket'], crl['key']].every((text) => typeof text === 'string' && text !== '')
      );
    })
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
