import { check, type CheckResult } from './check.ts';

/** What the tokenizer says of itself on `/readyz`. */
export interface VaultFacts {
  readonly status: number;
  /** Of the branch keys that it holds. */
  readonly keys?: { readonly goodForSeconds: number; readonly isRefreshFailing: boolean };
}

/** The vault says of itself that its store and its keys can be reached, and for how long it goes on without KMS. */
export function checkVault({ status, keys }: VaultFacts): CheckResult[] {
  const found =
    keys === undefined
      ? `${status}, and nothing of the keys`
      : `good for ${Math.floor(keys.goodForSeconds)} s${keys.isRefreshFailing ? ', and the fetch fails' : ''}`;
  return [
    check('vault.ready', 'tokenizer', status === 200, String(status)),
    check(
      'keys.fresh',
      'tokenizer',
      keys !== undefined && !keys.isRefreshFailing && keys.goodForSeconds > 0,
      found,
    ),
  ];
}

/** @param state - As KMS names it. */
export function checkKmsKey(name: string, state: string): CheckResult {
  return check('keys.enabled', name, state === 'Enabled', state);
}

export interface TenantKeyFacts {
  readonly tenant: string;
  readonly hasBranchKey: boolean;
  readonly hasFingerprintKey: boolean;
}

export function checkTenantKeys({ tenant, hasBranchKey, hasFingerprintKey }: TenantKeyFacts): CheckResult {
  const missing = [
    ...(hasBranchKey ? [] : ['branch key']),
    ...(hasFingerprintKey ? [] : ['fingerprint key']),
  ];
  const found = missing.length === 0 ? 'both' : `no ${missing.join(', no ')}`;
  return check('keys.tenant', tenant, missing.length === 0, found);
}
