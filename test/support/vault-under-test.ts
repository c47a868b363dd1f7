import { randomBytes } from 'node:crypto';
import type { Mesh, VaultAccess } from '../../mesh/definition.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { vaultAccesses } from '../../mesh/vault-access.ts';
import { createCedarPolicy } from '../../sidecar/tokenizer/adapters/cedar-policy.ts';
import { auditWordsOf } from '../../sidecar/tokenizer/core/audit/record.ts';
import { compilePolicies, type Policy } from '../../sidecar/tokenizer/core/policy.ts';
import type { TokenRecord } from '../../sidecar/tokenizer/core/ports.ts';
import { createVault, type Caller, type VaultParts } from '../../sidecar/tokenizer/core/vault.ts';
import { MemoryFieldSealer } from '../fakes/memory-field-sealer.ts';
import { MemoryFingerprintIndex, MemoryFingerprintKeys } from '../fakes/memory-fingerprints.ts';
import { MemoryReferenceStore } from '../fakes/memory-reference-store.ts';
import { MemoryTokenStore } from '../fakes/memory-token-store.ts';
import { withNode } from './meshes.ts';

export const PAN = '4111111111111111';
export const CARD = { fields: { card: { class: 'pan', value: PAN } } };
export const RECORD = { fields: { ...CARD.fields, note: { class: 'text', value: 'call first' } } };
export const START = new Date('2026-03-04T05:06:07.008Z');

/** The shipped mesh, with a second tenant for order and paybill. */
const mesh: Mesh = (() => {
  const twoTenants = (access: VaultAccess | undefined): VaultAccess => ({
    ...(access ?? { grants: [] }),
    tenants: ['shop', 'bank'],
  });
  const nodes = withNode('order', (node) => ({ ...node, vaultAccess: twoTenants(node.vaultAccess) }));
  const paybill = nodes.virtualNodes['paybill'];
  if (paybill === undefined) throw new Error('the shipped mesh has changed');
  return {
    ...nodes,
    virtualNodes: {
      ...nodes.virtualNodes,
      paybill: { ...paybill, vaultAccess: twoTenants(paybill.vaultAccess) },
    },
  };
})();

export const AUDIT_WORDS = auditWordsOf(vaultAccesses(mesh));

function callerOf(node: string): Caller {
  const access = mesh.virtualNodes[node]?.vaultAccess ?? { tenants: ['shop'], grants: [] };
  return { identity: `${node}.${tokenizationMesh.name}.internal`, access };
}

export const order = callerOf('order');
export const paybill = callerOf('paybill');
const policy = createCedarPolicy(compilePolicies(mesh));

/** The vault over a store and a sealer in memory, with the shipped policy and a clock that stands. */
export function startVaultUnderTest(judge: Policy = policy) {
  const store = new MemoryTokenStore();
  const sealer = new MemoryFieldSealer(['shop', 'bank']);
  const clock = { now: START };
  const observed: string[] = [];
  const random: { bytes: (count: number) => Uint8Array } = { bytes: randomBytes };
  const fingerprints = { keys: new MemoryFingerprintKeys(), index: new MemoryFingerprintIndex() };
  const parts: VaultParts = {
    store,
    references: new MemoryReferenceStore(store),
    sealer,
    policy: judge,
    now: () => clock.now,
    randomBytes: (count) => random.bytes(count),
    regionCode: 'SYD',
    observer: {
      tokenTaken: (format) => observed.push(`taken ${format}`),
      formatExhausted: (format) => observed.push(`exhausted ${format}`),
    },
    fingerprints,
  };
  const vault = createVault(parts);
  const emptyRecord = (token: string): TokenRecord => ({
    tenant: 'shop',
    token,
    createdAt: START,
    fields: new Map(),
  });
  return { store, sealer, clock, random, observed, vault, parts, fingerprints, emptyRecord };
}

export function later(ms: number): Date {
  return new Date(START.getTime() + ms);
}
