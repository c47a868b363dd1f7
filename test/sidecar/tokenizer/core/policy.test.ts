import { describe, expect, it } from '@jest/globals';
import { createCedarPolicy } from '../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import {
  compilePolicies,
  type FieldOperation,
  type PolicyRequest,
} from '../../../../sidecar/tokenizer/core/policy.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from '../../../../sidecar/tokenizer/core/field-class.ts';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import { nodeNames } from '../../../../mesh/identity.ts';
import { withNode } from '../../../support/meshes.ts';

const OPERATIONS: readonly FieldOperation[] = [
  'tokenize',
  'reveal-masked',
  'reveal-plain',
  'read-metadata',
  'delete',
  'archive',
  'search',
  'check-value',
  'check-token',
];
const policy = createCedarPolicy(compilePolicies(tokenizationMesh));

function ask(node: string, operation: FieldOperation, change: Partial<PolicyRequest> = {}): boolean {
  return policy.permits({
    identity: `${node}.tokenmesh.internal`,
    operation,
    tenant: 'shop',
    class: 'pan',
    kind: 'random',
    format: 'default',
    ...change,
  });
}

describe('the policy of the shipped mesh', () => {
  it.each([
    ['order', ['tokenize', 'read-metadata', 'delete', 'archive', 'search', 'check-value', 'check-token']],
    ['paybill', ['reveal-masked', 'reveal-plain', 'read-metadata', 'check-token']],
    ['outsider', []],
    ['tokenizer', []],
    ['gateway', []],
    ['stranger', []],
  ])('permits %s only %j of a card number, for payment', (node, permitted) => {
    expect(OPERATIONS.filter((operation) => ask(node, operation, { purpose: 'payment' }))).toEqual(permitted);
  });

  it.each<[string | undefined]>([['marketing'], ['PAYMENT'], ['payment '], [''], [undefined]])(
    'shows nobody a value in plain for purpose %j',
    (purpose) => {
      const asked = purpose === undefined ? {} : { purpose };
      expect(nodeNames(tokenizationMesh).filter((node) => ask(node, 'reveal-plain', asked))).toEqual([]);
    },
  );

  it('shows paybill the classes of a payment, and no other', () => {
    const shown = FIELD_CLASS_NAMES.filter((name) => ask('paybill', 'reveal-masked', { class: name }));
    expect(shown).toEqual(['pan', 'expiry', 'cvv', 'name', 'email', 'phone', 'address', 'iban', 'ip', 'ssn']);
  });

  it('shows paybill a social security number in plain to check an identity, and nothing else', () => {
    expect(ask('paybill', 'reveal-plain', { class: 'ssn', purpose: 'identity-check' })).toBe(true);
    expect(ask('paybill', 'reveal-plain', { purpose: 'identity-check' })).toBe(false);
  });

  it('lets nobody make tokens of a small format', () => {
    expect(
      nodeNames(tokenizationMesh).filter((node) =>
        FIELD_CLASS_NAMES.some((name) => ask(node, 'tokenize', { class: name, smallFormat: true })),
      ),
    ).toEqual([]);
  });

  it('permits nothing in a tenant that was not granted', () => {
    const elsewhere = OPERATIONS.filter((operation) =>
      nodeNames(tokenizationMesh).some((node) =>
        ask(node, operation, { tenant: 'bank', purpose: 'payment' }),
      ),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe('policies compiled from a mesh', () => {
  it('are one for each grant, and one more for what is shown in plain', () => {
    expect(compilePolicies(tokenizationMesh).match(/permit/g)).toHaveLength(14);
  });

  it('let a node make tokens of a small format only by a grant that says so', () => {
    const mesh = withNode('order', (node) => ({
      ...node,
      vaultAccess: {
        tenants: ['shop'],
        grants: [{ operation: 'tokenize', classes: ['ssn'], smallFormats: true }],
      },
    }));
    const lenient = createCedarPolicy(compilePolicies(mesh));
    const request = {
      identity: 'order.tokenmesh.internal',
      operation: 'tokenize',
      tenant: 'shop',
      kind: 'random',
      format: 'ssn-last-four',
      smallFormat: true,
    } as const;
    expect(lenient.permits({ ...request, class: 'ssn' })).toBe(true);
    expect(lenient.permits({ ...request, class: 'pan' })).toBe(false);
    expect(policy.permits({ ...request, class: 'ssn' })).toBe(false);
    expect(policy.permits({ ...request, class: 'ssn', smallFormat: false })).toBe(true);
  });

  it('show nothing in plain where a grant states no purpose', () => {
    const mesh = withNode('paybill', (node) => ({
      ...node,
      vaultAccess: { tenants: ['shop'], grants: [{ operation: 'detokenize', classes: '*' }] },
    }));
    expect(compilePolicies(mesh)).not.toContain('reveal-plain');
  });

  it.each(['a"b', "a') when {true}", 'a\\', '', 'a b'])(
    'refuse the name %j, which could say more than a name',
    (name) => {
      const mesh = withNode('order', (node) => ({
        ...node,
        vaultAccess: { tenants: [name], grants: [{ operation: 'tokenize', classes: '*' }] },
      }));
      expect(() => compilePolicies(mesh)).toThrow(expect.objectContaining({ code: 'ERR_POLICY_NAME' }));
    },
  );
});

describe('Cedar', () => {
  it.each([
    ['what is not Cedar', 'permit everything'],
    ['an action that there is not', 'permit (principal, action == Action::"shred", resource);'],
    [
      'an attribute that there is not',
      'permit (principal, action, resource) when { context.mood == "good" };',
    ],
  ])('refuses %s', (_, policies) => {
    expect(() => createCedarPolicy(policies)).toThrow(
      expect.objectContaining({ code: 'ERR_POLICY_INVALID' }),
    );
  });

  it('gives no decision of one policy set for another', () => {
    const request = {
      identity: 'order.tokenmesh.internal',
      operation: 'tokenize',
      tenant: 'shop',
      class: 'pan' satisfies FieldClass,
      kind: 'random',
      format: 'default',
    } as const;
    const nothing = createCedarPolicy('');
    expect([policy.permits(request), nothing.permits(request)]).toEqual([true, false]);
    expect([policy.permits(request), nothing.permits(request)]).toEqual([true, false]);
  });

  it('decides as before after more purposes than it keeps decisions for', () => {
    for (let count = 0; count < 10_050; count += 1)
      ask('paybill', 'reveal-plain', { purpose: `made-up-${count}` });
    expect(ask('paybill', 'reveal-plain', { purpose: 'payment' })).toBe(true);
    expect(ask('paybill', 'reveal-plain', { purpose: 'made-up-1' })).toBe(false);
  });
});
