/**
 * A stand-in for KMS that answers at once, with real keys: what it wraps is AES-256-GCM, bound to the
 * encryption context. The usual pattern asks KMS for each token, and an emulator would be its limit.
 *
 * It counts what it is asked, and when a data key was: `Bench.Counts`. `Bench.Delay` makes every answer
 * about data keys wait, as a KMS on a network does.
 *
 * @module
 */

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopOnSignal } from '../runtime/lifecycle.ts';
import { answerError, answerOk, createStubServer, type StubAnswer } from './stub-server.ts';

const ARN_PREFIX = 'arn:aws:kms:us-east-1:123456789012:key/';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 36;

/** Whoever asks for the counts asks soon enough that these are enough. */
const KEPT_TIMES = 1_000;

type Context = Readonly<Record<string, string>>;

interface Request {
  readonly KeyId?: string;
  readonly AliasName?: string;
  readonly TargetKeyId?: string;
  readonly NumberOfBytes?: number;
  readonly KeySpec?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Context;
  readonly SourceEncryptionContext?: Context;
  readonly DestinationEncryptionContext?: Context;
  readonly DestinationKeyId?: string;
  readonly Message?: string;
  readonly Mac?: string;
}

const keys = new Map<string, KeyObject>();
const aliases = new Map<string, string>();
const calls: Record<string, number> = {};
const dataKeyCallsAtMs: number[] = [];
let delayMs = 0;

/** What the data path asks of KMS; the rest is set-up, or the audit's. */
const DATA_KEY_CALLS = ['GenerateDataKey', 'Decrypt', 'Encrypt', 'ReEncrypt'];

function idOf(name = ''): string {
  return (aliases.get(name.slice(name.indexOf('alias/'))) ?? name).replace(ARN_PREFIX, '');
}

function keyOf(name: string | undefined): KeyObject {
  const key = keys.get(idOf(name));
  if (key === undefined) throw new RangeError('no such key');
  return key;
}

function aadOf(context: Context = {}): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function wrap(name: string | undefined, plaintext: Buffer, context: Context | undefined): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(name), nonce).setAAD(aadOf(context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.from(idOf(name)), nonce, sealed, cipher.getAuthTag()]).toString('base64');
}

function unwrap(
  blob = '',
  context: Context | undefined,
): { readonly id: string; readonly plaintext: Buffer } {
  const bytes = Buffer.from(blob, 'base64');
  const id = bytes.toString('latin1', 0, ID_BYTES);
  const bodyStart = ID_BYTES + NONCE_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(id), bytes.subarray(ID_BYTES, bodyStart));
  decipher.setAAD(aadOf(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = Buffer.concat([decipher.update(bytes.subarray(bodyStart, -TAG_BYTES)), decipher.final()]);
  return { id, plaintext };
}

function generate({ KeyId, NumberOfBytes = 32, EncryptionContext }: Request): {
  readonly key: Buffer;
  readonly wrapped: { readonly KeyId: string; readonly CiphertextBlob: string };
} {
  const key = randomBytes(NumberOfBytes);
  const CiphertextBlob = wrap(KeyId, key, EncryptionContext);
  return { key, wrapped: { KeyId: ARN_PREFIX + idOf(KeyId), CiphertextBlob } };
}

function macOf({ KeyId, Message = '' }: Request): string {
  return createHmac('sha256', keyOf(KeyId)).update(Buffer.from(Message, 'base64')).digest('base64');
}

const OPERATIONS: Readonly<Record<string, (request: Request) => StubAnswer>> = {
  CreateKey() {
    const id = randomUUID();
    keys.set(id, createSecretKey(randomBytes(32)));
    return answerOk({ KeyMetadata: { KeyId: id, Arn: ARN_PREFIX + id, KeyState: 'Enabled' } });
  },
  CreateAlias({ AliasName = '', TargetKeyId }) {
    aliases.set(AliasName, idOf(TargetKeyId));
    return answerOk();
  },
  GenerateDataKey(request) {
    const { key, wrapped } = generate(request);
    return answerOk({ ...wrapped, Plaintext: key.toString('base64') });
  },
  GenerateDataKeyWithoutPlaintext: (request) => answerOk(generate(request).wrapped),
  Encrypt: ({ KeyId, Plaintext = '', EncryptionContext }) =>
    answerOk({
      KeyId: ARN_PREFIX + idOf(KeyId),
      CiphertextBlob: wrap(KeyId, Buffer.from(Plaintext, 'base64'), EncryptionContext),
    }),
  Decrypt({ CiphertextBlob, EncryptionContext }) {
    const { id, plaintext } = unwrap(CiphertextBlob, EncryptionContext);
    return answerOk({ KeyId: ARN_PREFIX + id, Plaintext: plaintext.toString('base64') });
  },
  ReEncrypt({ CiphertextBlob, SourceEncryptionContext, DestinationEncryptionContext, DestinationKeyId }) {
    const { id, plaintext } = unwrap(CiphertextBlob, SourceEncryptionContext);
    return answerOk({
      SourceKeyId: ARN_PREFIX + id,
      KeyId: ARN_PREFIX + idOf(DestinationKeyId),
      CiphertextBlob: wrap(DestinationKeyId, plaintext, DestinationEncryptionContext),
    });
  },
  GenerateMac: (request) => answerOk({ KeyId: request.KeyId, Mac: macOf(request) }),
  VerifyMac(request) {
    const isValid = macOf(request) === request.Mac;
    return isValid
      ? answerOk({ KeyId: request.KeyId, MacValid: true })
      : answerError('KMSInvalidMacException');
  },
};

function answer(operation: string, body: string): StubAnswer {
  try {
    return OPERATIONS[operation]?.(JSON.parse(body) as Request) ?? answerError('UnknownOperationException');
  } catch (error) {
    return answerError(error instanceof RangeError ? 'NotFoundException' : 'InvalidCiphertextException');
  }
}

function handle(operation: string, body: string): StubAnswer | Promise<StubAnswer> {
  if (operation === 'Counts') return answerOk({ calls, dataKeyCallsAtMs });
  if (operation === 'Delay') {
    delayMs = (JSON.parse(body) as { ms: number }).ms;
    return answerOk();
  }
  calls[operation] = (calls[operation] ?? 0) + 1;
  if (!DATA_KEY_CALLS.includes(operation)) return answer(operation, body);
  dataKeyCallsAtMs.push(Date.now());
  if (dataKeyCallsAtMs.length > KEPT_TIMES) dataKeyCallsAtMs.shift();
  return delayMs === 0 ? answer(operation, body) : sleep(delayMs).then(() => answer(operation, body));
}

const server = createStubServer(handle);
stopOnSignal(async () => void server.close());
server.listen(Number(process.env['STUB_PORT']), '127.0.0.1');
