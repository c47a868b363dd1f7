/**
 * Key material of one's own in a KMS key of EXTERNAL origin.
 *
 * After "Importing key material" in the KMS developer guide: KMS gives a public key and a token, the material
 * comes back wrapped under the one (RSAES_OAEP_SHA_256, RFC 8017 section 7.1) and together with the other,
 * within 24 hours. KMS remembers the first material of a key and takes no other into it.
 *
 * @module
 */

import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import {
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import type { Sensitive } from '../pki/sensitive.ts';
import { importFailed, keyNotExternal, materialOfWrongLength } from './key-import-problems.ts';

/** What a symmetric key of KMS has for material: 256 bits. */
export const MATERIAL_BYTES = 32;

export interface ExternalKey {
  readonly arn: string;
  /** As KMS says it: `Enabled`, or `PendingImport` for one without material. */
  readonly state: string;
  readonly expiresAt?: Date;
  /** Every region that has the key, this one included. Each needs the material for itself. */
  readonly regions: readonly string[];
}

export interface ImportParameters {
  /** PEM. */
  readonly wrappingKey: string;
  readonly token: Uint8Array;
  readonly validTo: Date;
}

/** @throws {TokenmeshError} `ERR_KMS_KEY_UNKNOWN`, `ERR_KEY_NOT_EXTERNAL` */
export async function describeExternalKey(kms: KMSClient, keyId: string): Promise<ExternalKey> {
  const { KeyMetadata: found } = await kms
    .send(new DescribeKeyCommand({ KeyId: keyId }))
    .catch((error: unknown) => {
      throw importFailed(error);
    });
  if (found?.Arn === undefined || found.Origin !== 'EXTERNAL') throw keyNotExternal(found?.Origin);
  const { PrimaryKey, ReplicaKeys = [] } = found.MultiRegionConfiguration ?? {};
  const own = found.Arn.split(':')[3] ?? '';
  const regions = [own, PrimaryKey?.Region, ...ReplicaKeys.map(({ Region }) => Region)];
  return {
    arn: found.Arn,
    state: found.KeyState ?? 'unknown',
    ...(found.ValidTo === undefined ? {} : { expiresAt: found.ValidTo }),
    regions: [...new Set(regions.filter((each) => each !== undefined))],
  };
}

/** @throws {TokenmeshError} see {@link importFailed} */
export async function parametersForImport(kms: KMSClient, keyId: string): Promise<ImportParameters> {
  const given = await kms
    .send(
      new GetParametersForImportCommand({
        KeyId: keyId,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_4096',
      }),
    )
    .catch((error: unknown) => {
      throw importFailed(error);
    });
  const key = createPublicKey({ key: Buffer.from(given.PublicKey ?? []), format: 'der', type: 'spki' });
  return {
    wrappingKey: key.export({ format: 'pem', type: 'spki' }).toString(),
    token: given.ImportToken ?? new Uint8Array(),
    validTo: given.ParametersValidTo ?? new Date(0),
  };
}

/**
 * Brings material into a key, wrapped here.
 *
 * @param expiresAt - When KMS forgets it; never, unless given.
 * @throws {TokenmeshError} `ERR_KEY_MATERIAL_LENGTH`, before KMS is asked; see {@link importFailed}
 */
export async function importMaterial(
  kms: KMSClient,
  keyId: string,
  material: Sensitive<Uint8Array>,
  expiresAt?: Date,
): Promise<void> {
  const bytes = material.reveal();
  if (bytes.length !== MATERIAL_BYTES) throw materialOfWrongLength(MATERIAL_BYTES, bytes.length);
  const { wrappingKey, token } = await parametersForImport(kms, keyId);
  const wrapped = publicEncrypt(
    { key: wrappingKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    bytes,
  );
  await importWrapped(kms, keyId, { wrapped, token, expiresAt });
}

export interface WrappedMaterial {
  /** The material under the wrapping key that came with the token. */
  readonly wrapped: Uint8Array;
  readonly token: Uint8Array;
  readonly expiresAt?: Date;
}

/** @throws {TokenmeshError} see {@link importFailed} */
export async function importWrapped(
  kms: KMSClient,
  keyId: string,
  { wrapped, token, expiresAt }: WrappedMaterial,
): Promise<void> {
  const expiry =
    expiresAt === undefined
      ? ({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const)
      : ({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: expiresAt } as const);
  await kms
    .send(
      new ImportKeyMaterialCommand({
        KeyId: keyId,
        ImportToken: token,
        EncryptedKeyMaterial: wrapped,
        ...expiry,
      }),
    )
    .catch((error: unknown) => {
      throw importFailed(error);
    });
}

/** From then on the key opens nothing, until the same material comes again. */
export async function deleteMaterial(kms: KMSClient, keyId: string): Promise<void> {
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId })).catch((error: unknown) => {
    throw importFailed(error);
  });
}
