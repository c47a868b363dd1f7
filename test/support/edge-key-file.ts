import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { ACCOUNT, REGION } from './synthesized.ts';

export const KEY_ID = '11111111-2222-3333-4444-555555555555';

/** Of a deployment with encryption at the edge, but for the file of the key. */
export const AT_EDGE = {
  domain: 'pay.example.com',
  hostedZoneId: 'Z0123456789ABC',
  edgeKeys: 'second,first',
  edgePrefixLists: 'pl-0123abcd',
};

const folders: string[] = [];

/** What `aws kms get-public-key` writes of an RSA key, in a file that goes with the suite. */
export function edgeKeyFile(changes: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-edge-key-'));
  folders.push(folder);
  const file = join(folder, 'edge-key.json');
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const printed = {
    KeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KEY_ID}`,
    PublicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    KeyUsage: 'ENCRYPT_DECRYPT',
    ...changes,
  };
  writeFileSync(file, JSON.stringify(printed));
  return file;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
