import { randomBytes } from 'node:crypto';
import type { FieldSealer } from '../../sidecar/tokenizer/core/ports.ts';
import { createVaultKeys, type VaultKeysOptions } from '../../sidecar/tokenizer/vault-keys.ts';

/** A sealer that holds no key yet. */
export function sealerOf(options: Omit<VaultKeysOptions, 'randomBytes'>): FieldSealer {
  return createVaultKeys({ ...options, randomBytes }).sealer;
}
