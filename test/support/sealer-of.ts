import { randomBytes } from 'node:crypto';
import { sealingHere } from '../../sidecar/tokenizer/core/crypto/sealing.ts';
import type { FieldSealer } from '../../sidecar/tokenizer/core/ports.ts';
import { createVaultKeys, type VaultKeysOptions } from '../../sidecar/tokenizer/vault-keys.ts';

/** A sealer that holds no key yet. */
export function sealerOf(options: Omit<VaultKeysOptions, 'work'>): FieldSealer {
  return createVaultKeys({ ...options, work: sealingHere(randomBytes) }).sealer;
}
