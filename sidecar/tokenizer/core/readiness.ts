import { TenantShreddedError } from './errors.ts';
import type { FieldSealer, TokenStore } from './ports.ts';

/** An answer this young is given again, so that probes from every node cost next to nothing. */
const FRESH_MS = 3_000;

export interface ReadinessParts {
  readonly store: TokenStore;
  readonly sealer: FieldSealer;
  readonly tenants: readonly string[];
  /** What else has to be there. */
  readonly audit?: { readonly checkReady: () => Promise<void> };
  readonly now: () => Date;
}

/**
 * Whether requests could be served: the store answers, and a value can be sealed and opened for each tenant.
 *
 * With KMS down a task that holds its branch keys still serves, and is ready.
 *
 * @returns A check that rejects with what is not available.
 */
export function createReadiness(parts: ReadinessParts): () => Promise<void> {
  let last: { readonly at: number; readonly outcome: Promise<void> } | undefined;
  return async () => {
    const at = parts.now().getTime();
    if (last === undefined || at - last.at >= FRESH_MS) last = { at, outcome: check(parts) };
    await last.outcome;
  };
}

async function check({ store, sealer, tenants, audit }: ReadinessParts): Promise<void> {
  await Promise.all([
    store.checkReachable(),
    audit?.checkReady(),
    ...tenants.map((tenant) => checkTenant(sealer, tenant)),
  ]);
}

/** A tenant whose keys were destroyed is refused for good, and keeps nobody else waiting. */
async function checkTenant(sealer: FieldSealer, tenant: string): Promise<void> {
  const context = { tenant, token: 'readiness', field: 'readiness', class: 'text' } as const;
  try {
    await sealer.open(await sealer.seal(Buffer.from('ready'), context), context);
  } catch (error) {
    if (!(error instanceof TenantShreddedError)) throw error;
  }
}
