import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  type CreateKeyCommandInput,
  type KeyMetadata,
} from '@aws-sdk/client-kms';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';

const CONTEXT = { tenant: 'shop', field: 'pan' };
const PLAINTEXT = Buffer.from('sixteen bytes...');

let aws: EmulatedAws;
let kms: KMSClient;
let elsewhere: KMSClient;

beforeAll(async () => {
  aws = await startEmulatedAws();
  kms = new KMSClient({ ...aws.clientConfig, maxAttempts: 1 });
  elsewhere = new KMSClient({ ...aws.clientConfig, region: 'eu-west-1', maxAttempts: 1 });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  kms?.destroy();
  elsewhere?.destroy();
  await aws?.stop();
});

async function createKey(asked: CreateKeyCommandInput = {}): Promise<KeyMetadata & { Arn: string }> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(asked));
  return KeyMetadata as KeyMetadata & { Arn: string };
}

async function stateOf(keyId: string, client = kms): Promise<string | undefined> {
  return (await client.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata?.KeyState;
}

async function encrypt(keyId: string, client = kms): Promise<Uint8Array> {
  const { CiphertextBlob } = await client.send(
    new EncryptCommand({ KeyId: keyId, Plaintext: PLAINTEXT, EncryptionContext: CONTEXT }),
  );
  return CiphertextBlob ?? new Uint8Array();
}

async function decrypt(blob: Uint8Array, keyId?: string, client = kms): Promise<Buffer> {
  const { Plaintext } = await client.send(
    new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: CONTEXT, KeyId: keyId }),
  );
  return Buffer.from(Plaintext ?? []);
}

describe('a symmetric key', () => {
  it('opens what it sealed, with the key named by id, ARN or alias, or not at all', async () => {
    const { Arn, KeyId = '' } = await createKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/opening', TargetKeyId: KeyId }));
    const blob = await encrypt(Arn);
    for (const name of [Arn, KeyId, 'alias/opening', undefined]) {
      expect(await decrypt(blob, name)).toEqual(PLAINTEXT);
    }
  });

  it('refuses another context, a changed blob and another key', async () => {
    const [{ Arn }, other] = [await createKey(), await createKey()];
    const blob = await encrypt(Arn);
    const changed = Buffer.from(blob);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await expect(
      kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { tenant: 'other' } })),
    ).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    await expect(decrypt(changed)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    await expect(decrypt(randomBytes(80))).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    await expect(decrypt(blob, other.Arn)).rejects.toMatchObject({ name: 'IncorrectKeyException' });
  });

  it('makes data keys that it opens again, and moves them under another key and context', async () => {
    const [{ Arn }, other] = [await createKey(), await createKey()];
    const made = await kms.send(
      new GenerateDataKeyCommand({ KeyId: Arn, KeySpec: 'AES_256', EncryptionContext: CONTEXT }),
    );
    expect(made.KeyId).toBe(Arn);
    expect(await decrypt(made.CiphertextBlob ?? new Uint8Array(), Arn)).toEqual(
      Buffer.from(made.Plaintext ?? []),
    );
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: made.CiphertextBlob,
        SourceEncryptionContext: CONTEXT,
        DestinationKeyId: other.Arn,
        DestinationEncryptionContext: { tenant: 'moved' },
      }),
    );
    expect(moved.KeyId).toBe(other.Arn);
    const { Plaintext } = await kms.send(
      new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { tenant: 'moved' } }),
    );
    expect(Plaintext).toEqual(made.Plaintext);
  });
});

describe('key states', () => {
  it('refuses every use of a disabled key until it is enabled, by ARN too', async () => {
    const { Arn } = await createKey();
    const blob = await encrypt(Arn);
    await kms.send(new DisableKeyCommand({ KeyId: Arn }));
    expect(await stateOf(Arn)).toBe('Disabled');
    const uses = [
      encrypt(Arn),
      decrypt(blob),
      kms.send(new GenerateDataKeyCommand({ KeyId: Arn, KeySpec: 'AES_256' })),
      kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: Arn, KeySpec: 'AES_256' })),
      kms.send(
        new ReEncryptCommand({
          CiphertextBlob: blob,
          SourceEncryptionContext: CONTEXT,
          DestinationKeyId: Arn,
        }),
      ),
    ];
    const answers = await Promise.allSettled(uses);
    expect(answers.map((answer) => (answer.status === 'rejected' ? answer.reason.name : 'answered'))).toEqual(
      uses.map(() => 'DisabledException'),
    );
    await kms.send(new EnableKeyCommand({ KeyId: Arn }));
    expect(await decrypt(blob)).toEqual(PLAINTEXT);
  });

  it('refuses a key that waits for its deletion, and takes it back disabled', async () => {
    const { Arn } = await createKey();
    const blob = await encrypt(Arn);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: Arn, PendingWindowInDays: 7 }));
    await expect(decrypt(blob)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    await expect(kms.send(new EnableKeyCommand({ KeyId: Arn }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    });
    await kms.send(new CancelKeyDeletionCommand({ KeyId: Arn }));
    expect(await stateOf(Arn)).toBe('Disabled');
  });

  it('refuses a MAC under a disabled key', async () => {
    const { Arn } = await createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const generate = new GenerateMacCommand({ KeyId: Arn, MacAlgorithm: 'HMAC_SHA_256', Message: PLAINTEXT });
    expect((await kms.send(generate)).Mac).toHaveLength(32);
    await kms.send(new DisableKeyCommand({ KeyId: Arn }));
    await expect(kms.send(generate)).rejects.toMatchObject({ name: 'DisabledException' });
  });
});

describe('a multi-Region key', () => {
  it('opens in one region what it sealed in another, and tells primary from replica', async () => {
    const { Arn, KeyId = '' } = await createKey({ MultiRegion: true });
    expect(KeyId).toMatch(/^mrk-/);
    const { ReplicaKeyMetadata } = await kms.send(
      new ReplicateKeyCommand({ KeyId: Arn, ReplicaRegion: 'eu-west-1' }),
    );
    expect(ReplicaKeyMetadata?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('REPLICA');
    expect(await decrypt(await encrypt(Arn), undefined, elsewhere)).toEqual(PLAINTEXT);
    expect(await decrypt(await encrypt(KeyId, elsewhere), Arn)).toEqual(PLAINTEXT);
    const { KeyMetadata: primary } = await kms.send(new DescribeKeyCommand({ KeyId: Arn }));
    expect(primary?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('PRIMARY');
  });

  it('is disabled in one region alone', async () => {
    const { Arn, KeyId = '' } = await createKey({ MultiRegion: true });
    await kms.send(new ReplicateKeyCommand({ KeyId: Arn, ReplicaRegion: 'eu-west-1' }));
    const blob = await encrypt(Arn);
    await kms.send(new DisableKeyCommand({ KeyId: Arn }));
    await expect(decrypt(blob)).rejects.toMatchObject({ name: 'DisabledException' });
    expect(await decrypt(blob, KeyId, elsewhere)).toEqual(PLAINTEXT);
  });
});

describe('an RSA key', () => {
  it('opens what anyone sealed with its public key by RSAES_OAEP_SHA_256', async () => {
    const { Arn } = await createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: Arn }));
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    const sealed = publicEncrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      PLAINTEXT,
    );
    const open = async (
      algorithm: 'RSAES_OAEP_SHA_256' | 'RSAES_OAEP_SHA_1',
      blob: Uint8Array,
    ): Promise<Buffer> => {
      const { Plaintext } = await kms.send(
        new DecryptCommand({ KeyId: Arn, CiphertextBlob: blob, EncryptionAlgorithm: algorithm }),
      );
      return Buffer.from(Plaintext ?? []);
    };
    expect(await open('RSAES_OAEP_SHA_256', sealed)).toEqual(PLAINTEXT);
    await expect(open('RSAES_OAEP_SHA_1', sealed)).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
    const { CiphertextBlob = new Uint8Array() } = await kms.send(
      new EncryptCommand({ KeyId: Arn, Plaintext: PLAINTEXT, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
    );
    expect(await open('RSAES_OAEP_SHA_256', CiphertextBlob)).toEqual(PLAINTEXT);
  });

  it('refuses to be used as a symmetric key', async () => {
    const { Arn } = await createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    await expect(encrypt(Arn)).rejects.toMatchObject({ name: 'InvalidKeyUsageException' });
  });
});

async function bring(keyId: string, material: Buffer, client = kms): Promise<void> {
  const parameters = await client.send(
    new GetParametersForImportCommand({
      KeyId: keyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_3072',
    }),
  );
  const key = createPublicKey({
    key: Buffer.from(parameters.PublicKey ?? []),
    format: 'der',
    type: 'spki',
  });
  await client.send(
    new ImportKeyMaterialCommand({
      KeyId: keyId,
      ImportToken: parameters.ImportToken,
      EncryptedKeyMaterial: publicEncrypt(
        { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        material,
      ),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    }),
  );
}

describe('key material of one’s own', () => {
  it('makes a key usable that waited for it, and unusable when it is deleted', async () => {
    const { Arn, KeyState, Enabled } = await createKey({ Origin: 'EXTERNAL' });
    expect({ KeyState, Enabled }).toEqual({ KeyState: 'PendingImport', Enabled: false });
    await expect(encrypt(Arn)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    const material = randomBytes(32);
    await bring(Arn, material);
    expect(await stateOf(Arn)).toBe('Enabled');
    const blob = await encrypt(Arn);
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: Arn }));
    await expect(decrypt(blob)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    await bring(Arn, material);
    expect(await decrypt(blob)).toEqual(PLAINTEXT);
  });

  it('refuses other material than the first, and material of another length', async () => {
    const { Arn } = await createKey({ Origin: 'EXTERNAL' });
    await expect(bring(Arn, randomBytes(16))).rejects.toMatchObject({
      name: 'IncorrectKeyMaterialException',
    });
    await bring(Arn, randomBytes(32));
    await expect(bring(Arn, randomBytes(32))).rejects.toMatchObject({
      name: 'IncorrectKeyMaterialException',
    });
  });

  it('refuses an import token of another key, and an import into a key that KMS made', async () => {
    const [{ Arn }, other, ordinary] = [
      await createKey({ Origin: 'EXTERNAL' }),
      await createKey({ Origin: 'EXTERNAL' }),
      await createKey(),
    ];
    const parametersOf = new GetParametersForImportCommand({
      KeyId: other.Arn,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    });
    const { ImportToken } = await kms.send(parametersOf);
    await expect(
      kms.send(
        new ImportKeyMaterialCommand({
          KeyId: Arn,
          ImportToken,
          EncryptedKeyMaterial: randomBytes(256),
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidImportTokenException' });
    await expect(bring(ordinary.Arn, randomBytes(32))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
    });
  });

  it('has to be brought to each region of a multi-Region key, the same to each', async () => {
    const { Arn, KeyId = '' } = await createKey({ Origin: 'EXTERNAL', MultiRegion: true });
    const material = randomBytes(32);
    await bring(Arn, material);
    await kms.send(new ReplicateKeyCommand({ KeyId: Arn, ReplicaRegion: 'eu-west-1' }));
    expect(await stateOf(KeyId, elsewhere)).toBe('PendingImport');
    expect(await stateOf(Arn)).toBe('Enabled');
    await expect(bring(KeyId, randomBytes(32), elsewhere)).rejects.toMatchObject({
      name: 'IncorrectKeyMaterialException',
    });
    await bring(KeyId, material, elsewhere);
    expect(await decrypt(await encrypt(Arn), undefined, elsewhere)).toEqual(PLAINTEXT);
  });
});
