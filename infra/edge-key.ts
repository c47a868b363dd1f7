/**
 * The key that the function at the edge encrypts under, as `aws kms get-public-key --output json` writes it.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface EdgeKey {
  /** As the ARN of the key ends. */
  readonly keyId: string;
  /** PEM. */
  readonly publicKey: string;
}

const HOW = 'aws kms get-public-key --key-id alias/tokenmesh-edge-<name> --output json';

const KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/([\w-]+)$/;

/** Must have been made before: KMS alone knows the private half, and gives the public one when it has. */
export function readEdgeKey(file: string | undefined): EdgeKey | { readonly problem: string } {
  const expected = `expected a file with what is printed by: ${HOW}`;
  try {
    const read: unknown = JSON.parse(readFileSync(file ?? '', 'utf8'));
    const { KeyId, PublicKey, KeyUsage } = read as Readonly<Record<string, string | undefined>>;
    const keyId = KEY_ARN.exec(KeyId ?? '')?.[1];
    if (keyId === undefined || KeyUsage !== 'ENCRYPT_DECRYPT') {
      return { problem: `${expected}; got no key of the usage ENCRYPT_DECRYPT` };
    }
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? '', 'base64'), format: 'der', type: 'spki' });
    return { keyId, publicKey: key.export({ format: 'pem', type: 'spki' }).toString() };
  } catch {
    return { problem: `${expected}; got none that can be read` };
  }
}
