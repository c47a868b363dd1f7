/**
 * Seals and opens one record in process, against node's own AES-256-GCM of the same bytes, twice: prints
 * the microseconds of both, round by round, as JSON.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import type { EncryptionContext } from '../sidecar/tokenizer/core/encryption-context.ts';
import { mintToken, TOKEN_RANDOM_BYTES } from '../sidecar/tokenizer/core/token.ts';
import { openBareVault } from './bare-vault.ts';
import { madeCardNumber } from './mesh/made-cards.ts';

export interface SealOpenRound {
  /** Microseconds for one record: sealed, then opened. */
  readonly sealOpen: number;
  /** The same bytes sealed and opened by AES-256-GCM alone. */
  readonly gcm: number;
}

const NONCE_BYTES = 12;
const ROUNDS = 7;
const ROUND_MS = Number(process.env['SEAL_OPEN_ROUND_MS'] ?? 300);
const BLOCK = 100;

const { sealer, randomBytes: pooledBytes } = openBareVault();
const key = createSecretKey(randomBytes(32));
const values = Array.from({ length: BLOCK }, () => Buffer.from(madeCardNumber()));

async function sealAndOpen(value: Buffer): Promise<Uint8Array> {
  const token = mintToken(pooledBytes(TOKEN_RANDOM_BYTES));
  const context: EncryptionContext = { tenant: 'shop', token, field: 'card', class: 'pan' };
  return await sealer.open(await sealer.seal(value, context), context);
}

async function gcmTwice(value: Buffer): Promise<Uint8Array> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(value), cipher.final()]);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(cipher.getAuthTag());
  return Buffer.concat([decipher.update(sealed), decipher.final()]);
}

/** @returns Microseconds for one value. */
async function timeOf(work: (value: Buffer) => Promise<Uint8Array>): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < ROUND_MS) {
    for (const value of values) {
      if (!value.equals(await work(value))) throw new Error('expected the value that was sealed');
      count += 1;
    }
  }
  return ((performance.now() - startedAt) * 1_000) / count;
}

const rounds: SealOpenRound[] = [];
// The first is for the compiler, and is not told.
for (let round = 0; round <= ROUNDS; round += 1) {
  const measured = { sealOpen: await timeOf(sealAndOpen), gcm: await timeOf(gcmTwice) };
  if (round > 0) rounds.push(measured);
}
process.stdout.write(`${JSON.stringify(rounds)}\n`);
process.exit(0);
