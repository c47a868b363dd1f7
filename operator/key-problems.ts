/**
 * What is wrong with what an operator asks of a key.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';
import type {
  BranchKeyVersion,
  BranchKeyVersions,
} from '../sidecar/tokenizer/adapters/branch-key-versions.ts';
import type { KeyOwner } from '../sidecar/tokenizer/adapters/branch-keys.ts';
import {
  SubjectShreddedError,
  SubjectUnknownError,
  TenantShreddedError,
} from '../sidecar/tokenizer/core/errors.ts';
import { wordsFor } from './keys.ts';

/** @throws {TokenmeshError} where there is no such key, or none any more. */
export function requireKey(
  key: BranchKeyVersions | undefined,
  { tenant, subject }: KeyOwner,
): BranchKeyVersions {
  if (key?.isDestroyed === true)
    throw subject === undefined ? new TenantShreddedError() : new SubjectShreddedError();
  if (key !== undefined && key.versions.length > 0) return key;
  if (subject !== undefined) throw new SubjectUnknownError();
  throw new TokenmeshError({
    code: 'ERR_TENANT_UNKNOWN',
    message: `tenant ${tenant} has no branch key: expected one that an operator made`,
    remedy: 'correct the name, or make its keys: npm run mesh -- tenants create <tenant>',
  });
}

export function requireActive({ versions }: BranchKeyVersions): BranchKeyVersion {
  const active = versions.find(({ isActive }) => isActive);
  if (active === undefined) throw new Error('expected a key with an active version');
  return active;
}

/** @throws {TokenmeshError} for a version that there is not, and for the one that is sealed under. */
export function requireOlder({ versions }: BranchKeyVersions, version: string): BranchKeyVersion {
  const found = versions.find((each) => each.version === version);
  if (found === undefined) {
    throw new TokenmeshError({
      code: 'ERR_KEY_VERSION_UNKNOWN',
      message: `the key has no such version: expected one of the ${versions.length} that there are`,
      remedy: 'see which there are (npm run mesh -- keys census), and give the version whole',
    });
  }
  if (!found.isActive) return found;
  throw new TokenmeshError({
    code: 'ERR_KEY_VERSION_ACTIVE',
    message: 'the version is the active one: expected an older one, under which nothing is sealed any more',
    remedy: 'rotate the key and rewrap first (npm run mesh -- keys rotate, keys rewrap)',
  });
}

export function versionInUse(owner: KeyOwner, messages: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_KEY_VERSION_IN_USE',
    message: `${messages} messages of ${wordsFor(owner)} were sealed under the version: expected none`,
    remedy:
      'have them sealed anew (npm run mesh -- keys rewrap), or lose them: --force, after which they never open again',
  });
}

export function rewrapUnderWay(tenant: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REWRAP_UNDER_WAY',
    message: `records of tenant ${tenant} are being sealed anew: expected that to be done`,
    remedy: 'watch it until it is done (npm run mesh -- keys rewrap <tenant>), then run the command again',
  });
}

export function revocationUnconfirmed(owner: KeyOwner, messages: number): TokenmeshError {
  const loss = messages === 0 ? '' : `, and ${messages} messages would never open again`;
  return new TokenmeshError({
    code: 'ERR_REVOKE_UNCONFIRMED',
    message: `no version of ${wordsFor(owner)} was destroyed: expected --yes, since it cannot be taken back${loss}`,
    remedy: 'see that nobody needs it any more, then run the command again with --yes',
  });
}

export function rotationOvertaken(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ROTATION_OVERTAKEN',
    message: 'the key was changed by another command meanwhile: expected this one to be alone',
    remedy: 'see which versions there are (npm run mesh -- keys census), and rotate again if need be',
  });
}
