/**
 * What is wrong with key material, with the key that it is for, or with what KMS says of either.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';

export function materialOfWrongLength(expected: number, got: number): TokenmeshError {
  const isText = got === expected * 2 || got === expected * 2 + 1 || got === 44 || got === 45;
  return new TokenmeshError({
    code: 'ERR_KEY_MATERIAL_LENGTH',
    message: `the key material cannot be used: expected ${expected} bytes, got ${got}`,
    remedy: isText
      ? 'this length looks like hexadecimal or base64: pass the bytes themselves (openssl rand, without -hex and -base64)'
      : `make it with: openssl rand -out material.bin ${expected}`,
  });
}

export function keyNotExternal(origin = 'unknown'): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_KEY_NOT_EXTERNAL',
    message: `the key takes no material: expected one of origin EXTERNAL, got ${origin}`,
    remedy: 'make a key of origin EXTERNAL; the origin of a key never changes (docs/byok.md)',
  });
}

export function deletionUnconfirmed(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_MATERIAL_DELETION_UNCONFIRMED',
    message:
      'no key material was deleted: expected --yes, since nothing opens until the same material is imported again',
    remedy: 'see that the material is kept where it can be had again, then run the command with --yes',
  });
}

export function keyNotNamed(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_KMS_KEY_UNNAMED',
    message: 'no key was named: expected one with --key, in a region of its own',
    remedy: 'name it by its ARN, or by id or alias together with --region',
  });
}

export function expiryUnusable(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_MATERIAL_EXPIRY',
    message: 'the material cannot expire then: expected a time to come, at most 365 days from now',
    remedy:
      'give the time in ISO 8601 with its zone, or leave --expires out for material that does not expire',
  });
}

type Facts = Pick<TokenmeshError, 'code' | 'remedy'> & { readonly expected: string };

const KMS_FAILURES: Readonly<Record<string, Facts>> = {
  IncorrectKeyMaterialException: {
    code: 'ERR_KEY_MATERIAL_OTHER',
    expected: 'the material that the key had before, of 32 bytes',
    remedy: 'import the same material again; other material needs a key of its own',
  },
  InvalidCiphertextException: {
    code: 'ERR_KEY_MATERIAL_UNOPENABLE',
    expected: 'material that was wrapped by RSAES_OAEP_SHA_256 under the wrapping key of this token',
    remedy:
      'wrap it under the wrapping key that came with the token, with SHA-256 for both digests (docs/byok.md)',
  },
  InvalidImportTokenException: {
    code: 'ERR_IMPORT_TOKEN',
    expected: 'the import token that was given last for this key in this region',
    remedy: 'get new parameters (npm run mesh -- keys parameters), and wrap the material again',
  },
  ExpiredImportTokenException: {
    code: 'ERR_IMPORT_TOKEN',
    expected: 'an import token that is not older than a day',
    remedy: 'get new parameters (npm run mesh -- keys parameters), and wrap the material again',
  },
  NotFoundException: {
    code: 'ERR_KMS_KEY_UNKNOWN',
    expected: 'a key of this id, ARN or alias in this account and region',
    remedy: 'correct the key, or the region',
  },
  KMSInvalidStateException: {
    code: 'ERR_KMS_KEY_STATE',
    expected: 'a key that does not wait for its deletion',
    remedy: 'cancel the deletion, or use another key',
  },
  UnsupportedOperationException: {
    code: 'ERR_KEY_NOT_EXTERNAL',
    expected: 'a key of origin EXTERNAL',
    remedy: 'make a key of origin EXTERNAL; the origin of a key never changes (docs/byok.md)',
  },
};

/** What KMS refused, in our words; anything else is passed on as it is. */
export function importFailed(error: unknown): unknown {
  const name = error instanceof Error ? error.name : '';
  const facts = KMS_FAILURES[name];
  if (facts === undefined) return error;
  const { code, expected, remedy } = facts;
  return new TokenmeshError({
    code,
    message: `KMS refused: expected ${expected}, got ${name}`,
    remedy,
    cause: error,
  });
}
