import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
import { KMS, type KMSClientConfig } from '@aws-sdk/client-kms';
import { TokenmeshError } from '../../errors/error.ts';
import { contextOf, partOf, unreadable, type Part } from '../part.ts';
import type { PartOpener, PartSealer } from '../ports.ts';

/** Committing, and without a signature: who may seal is the key's policy to say. */
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

/** For each call of KMS; the SDK puts jitter between its attempts. */
const BOUNDED = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

export interface QueueKey {
  /** The customer key of the queue, by its ARN. */
  readonly keyArn: string;
  /** For a client of an emulator; the SDK's own settings unless given. */
  readonly client?: Pick<KMSClientConfig, 'endpoint' | 'region' | 'credentials'>;
}

/**
 * Parts as messages of the AWS Encryption SDK, in base64: any of its implementations writes and reads them.
 *
 * Each has a data key of its own, which KMS wraps under the queue's key. Which load and which part it is, is
 * authenticated with it. Sealing needs `kms:GenerateDataKey`, opening `kms:Decrypt`, and the key's policy can
 * tell both from what SQS itself asks for by `kms:EncryptionContext:purpose`.
 */
export function createPartSealer(key: QueueKey): PartSealer {
  const keyring = new KmsKeyringNode({ generatorKeyId: key.keyArn, clientProvider: providerOf(key) });
  return {
    async seal(part: Part) {
      const context = { ...contextOf(part) };
      const { result } = await withKey(() =>
        encrypt(keyring, JSON.stringify(part.items), { suiteId: SUITE, encryptionContext: context }),
      );
      return result.toString('base64');
    },
  };
}

export function createPartOpener(key: QueueKey): PartOpener {
  const keyring = new KmsKeyringNode({ keyIds: [key.keyArn], clientProvider: providerOf(key) });
  return {
    async open(sealed) {
      const message = Buffer.from(sealed, 'base64');
      if (message.toString('base64') !== sealed) throw unreadable('it is not base64');
      const { plaintext, messageHeader } = await opened(keyring, message);
      const { 'aws-crypto-public-key': _none, ...context } = messageHeader.encryptionContext;
      return partOf(context, plaintext.toString('utf8'));
    },
  };
}

async function opened(keyring: KmsKeyringNode, message: Buffer): ReturnType<typeof decrypt> {
  try {
    return await decrypt(keyring, message);
  } catch (cause) {
    if (isOutage(cause)) throw keyUnavailable(cause);
    throw unreadable('it does not open', cause);
  }
}

async function withKey<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw keyUnavailable(cause);
  }
}

/** The Encryption SDK tells of a failure of KMS by its text alone. */
function isOutage(error: unknown): boolean {
  const text = error instanceof Error ? `${error.name} ${error.message}` : '';
  return /ECONN|Timeout|socket|Throttl|KMSInternal|DependencyTimeout|KMSInvalidState|Disabled/i.test(text);
}

function keyUnavailable(cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_QUEUE_KEY_UNAVAILABLE',
    message: `the key of the queue cannot be used: expected an answer of KMS, got ${cause instanceof Error ? cause.name : 'an error'}`,
    remedy: 'see that KMS answers, that the key is enabled and that this role may use it; nothing is lost',
    cause,
  });
}

/** One client, made once: the library asks for it with each message. */
function providerOf({ client }: QueueKey): () => KMS {
  let kms: KMS | undefined;
  return () => (kms ??= new KMS({ ...BOUNDED, ...client }));
}
