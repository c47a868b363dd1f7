/**
 * With which algorithms a private key is encrypted: PKCS #8 `EncryptedPrivateKeyInfo` (RFC 5958 section
 * 3), scheme PBES2 (RFC 8018 section 6.2). Nothing is opened here; asn1js reads the ASN.1.
 *
 * @module
 */

import { fromBER, ObjectIdentifier, Sequence, type BaseBlock } from 'asn1js';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';

/** What BoringSSL opens, and so Envoy (measured, Envoy 1.40). Where no PRF is said it is HMAC with SHA-1. */
const TAKEN_PRFS = ['1.2.840.113549.2.7', '1.2.840.113549.2.9'];
const TAKEN_CIPHERS = [
  '1.2.840.113549.3.7',
  '2.16.840.1.101.3.4.1.2',
  '2.16.840.1.101.3.4.1.22',
  '2.16.840.1.101.3.4.1.42',
];

const NAMES: Readonly<Record<string, string>> = {
  [PBES2]: 'PBES2',
  [PBKDF2]: 'PBKDF2',
  '1.3.6.1.4.1.11591.4.11': 'scrypt',
  '1.2.840.113549.2.7': 'HMAC-SHA1',
  '1.2.840.113549.2.9': 'HMAC-SHA256',
  '1.2.840.113549.2.10': 'HMAC-SHA384',
  '1.2.840.113549.2.11': 'HMAC-SHA512',
  '1.2.840.113549.3.7': '3DES',
  '2.16.840.1.101.3.4.1.2': 'AES-128',
  '2.16.840.1.101.3.4.1.22': 'AES-192',
  '2.16.840.1.101.3.4.1.42': 'AES-256',
};

const BLOCK = /-----BEGIN ENCRYPTED PRIVATE KEY-----([^-]+)-----END ENCRYPTED PRIVATE KEY-----/;

export interface KeyEncryption {
  readonly isTakenByEnvoy: boolean;
  /** The algorithms by name, such as `PBES2, PBKDF2, HMAC-SHA256, AES-256`. */
  readonly text: string;
}

/** Undefined where there is no encrypted key in PKCS #8 to read. */
export function keyEncryptionOf(pem: string): KeyEncryption | undefined {
  const algorithm = algorithmOf(pem);
  if (algorithm === undefined) return undefined;
  const identifiers = identifiersIn(algorithm);
  const [scheme, derivation, ...parameters] = identifiers;
  const cipher = parameters.at(-1) ?? '';
  const isTakenByEnvoy =
    scheme === PBES2 &&
    derivation === PBKDF2 &&
    TAKEN_CIPHERS.includes(cipher) &&
    parameters.slice(0, -1).every((prf) => TAKEN_PRFS.includes(prf));
  return { isTakenByEnvoy, text: identifiers.map((each) => NAMES[each] ?? each).join(', ') };
}

function algorithmOf(pem: string): BaseBlock | undefined {
  const [, base64] = BLOCK.exec(pem) ?? [];
  if (base64 === undefined) return undefined;
  const { result } = fromBER(Buffer.from(base64, 'base64'));
  return result instanceof Sequence ? result.valueBlock.value[0] : undefined;
}

/** In their order. Salts, counts and vectors stand between them, and are of no account. */
function identifiersIn(block: BaseBlock): string[] {
  if (block instanceof ObjectIdentifier) return [block.getValue()];
  return block instanceof Sequence ? block.valueBlock.value.flatMap((each) => identifiersIn(each)) : [];
}
