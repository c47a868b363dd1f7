import { execFile, execFileSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The judge that is neither Node nor ours. */
export async function openssl(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('openssl', args)).stdout;
}

/** A request for signing, with a key of its own that stays in `directory`; names as openssl writes them. */
export async function createCsr(directory: string, commonName: string, names: string): Promise<Buffer> {
  const csr = join(directory, `${commonName}.csr`);
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${csr}.key`,
  ];
  const subject = ['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=${names}`];
  await openssl('req', '-new', ...key, ...subject, '-out', csr);
  return readFile(csr);
}

export async function certificateText(directory: string, certificate: string): Promise<string> {
  const file = join(directory, 'shown.pem');
  await writeFile(file, certificate);
  return openssl('x509', '-in', file, '-noout', '-text');
}

/** Judges a leaf by RFC 5280, strictly, with nothing trusted but `root`. */
export async function opensslVerify(
  directory: string,
  certificate: string,
  intermediates: string,
  root: string,
): Promise<string> {
  const paths = {
    leaf: join(directory, 'leaf.pem'),
    chain: join(directory, 'chain.pem'),
    root: join(directory, 'root.pem'),
  };
  await writeFile(paths.leaf, certificate);
  await writeFile(paths.chain, intermediates);
  await writeFile(paths.root, root);
  return openssl('verify', '-x509_strict', '-CAfile', paths.root, '-untrusted', paths.chain, paths.leaf);
}

/**
 * A private key in PKCS #8, encrypted in the way that the options name (openssl-pkcs8(1)).
 *
 * @param options - Such as `-v2 aes-256-cbc`, or `-scrypt`.
 */
export function encryptWithOpenssl(key: KeyObject, passphrase: string, options: readonly string[]): string {
  const clear = key.export({ type: 'pkcs8', format: 'pem' });
  const args = ['pkcs8', '-topk8', '-passout', 'env:PASSPHRASE_OF_TEST', ...options];
  const env = { ...process.env, PASSPHRASE_OF_TEST: passphrase };
  return execFileSync('openssl', args, { input: clear, env, encoding: 'utf8' });
}
