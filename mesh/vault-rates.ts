import type { VaultOperation, VaultRate } from './definition.ts';

/** Every operation that a node may be granted, and limited in. */
export const VAULT_OPERATIONS: readonly VaultOperation[] = [
  'tokenize',
  'detokenize',
  'read-metadata',
  'delete',
  'archive',
  'search',
  'check-value',
  'check-token',
];

/** Whether a bucket of this rate can ever let a call through, with nothing unknown in it. */
export function isVaultRate(value: unknown): value is VaultRate {
  if (typeof value !== 'object' || value === null) return false;
  const { perSecond, burst, ...others } = value as Partial<Record<keyof VaultRate, unknown>>;
  return (
    Object.keys(others).length === 0 &&
    typeof perSecond === 'number' &&
    Number.isFinite(perSecond) &&
    perSecond > 0 &&
    Number.isSafeInteger(burst) &&
    (burst as number) >= 1
  );
}
