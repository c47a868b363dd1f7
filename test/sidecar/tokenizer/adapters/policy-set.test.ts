import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import { createCedarPolicy } from '../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import {
  compileWithMesh,
  readPolicyFiles,
  revisionOf,
} from '../../../../sidecar/tokenizer/adapters/policy-files.ts';
import {
  compilePolicySet,
  SHIPPED_POLICIES_DIRECTORY,
} from '../../../../sidecar/tokenizer/adapters/policy-set.ts';
import { FIELD_OPERATION_NAMES } from '../../../../sidecar/tokenizer/core/access.ts';
import { FIELD_CLASS_NAMES } from '../../../../sidecar/tokenizer/core/field-class.ts';
import { compilePolicies, type PolicyRequest } from '../../../../sidecar/tokenizer/core/policy.ts';
import { TokenmeshError } from '../../../../errors/error.ts';
import { withNode } from '../../../support/meshes.ts';

const GOOD = '@id("a.good-one")\npermit (principal, action, resource);\n';

/** What is told of one file, each problem by itself. */
function problemsOf(text: string, name = 'a.cedar'): string[] {
  try {
    compileWithMesh(tokenizationMesh, [{ name, text }]);
    return [];
  } catch (error) {
    if (!(error instanceof TokenmeshError) || error.code !== 'ERR_POLICY_INVALID') throw error;
    return error.message.replace('the policies are not valid: ', '').split('; ');
  }
}

describe('policy files', () => {
  it('join those of the mesh, each under its id', () => {
    const set = compileWithMesh(tokenizationMesh, [{ name: 'a.cedar', text: GOOD }]);
    expect([...set.keys()]).toEqual([
      'mesh.order.tokenize',
      'mesh.order.read-metadata',
      'mesh.order.delete',
      'mesh.order.archive',
      'mesh.order.search',
      'mesh.order.check-value',
      'mesh.order.check-token',
      'mesh.paybill.reveal-masked',
      'mesh.paybill.reveal-plain',
      'mesh.paybill.reveal-masked.2',
      'mesh.paybill.reveal-plain.2',
      'mesh.paybill.read-metadata',
      'mesh.paybill.check-token',
      'mesh.bulk.tokenize',
      'a.good-one',
    ]);
  });

  it.each([
    ['what is not Cedar', `${GOOD}\npermit (principal action, resource);`, /^a\.cedar:4: .*unexpected token/],
    [
      'a policy without an id',
      `${GOOD}// why\npermit (principal, action, resource);`,
      /^a\.cedar:4: .*@id.*got none/,
    ],
    ['an id with a space', '@id("one two")\npermit (principal, action, resource);', /^a\.cedar:1: .*@id/],
    [
      'an id of the mesh',
      '@id("mesh.mine")\npermit (principal, action, resource);',
      /does not begin with "mesh\."/,
    ],
    [
      'an action that there is not',
      '@id("a")\npermit (principal,\n  action == Action::"shred", resource);',
      /^a\.cedar:\d: .*shred/,
    ],
    [
      'a class that there is not',
      '@id("a")\n\nforbid (principal, action, resource == FieldClass::"adress");',
      /^a\.cedar:3: .*FieldClass::"adress".*"address"/,
    ],
    [
      'an identity that is not of the mesh',
      '@id("a")\nforbid (principal == Identity::"paybil.tokenmesh.internal", action, resource);',
      /^a\.cedar:2: .*paybil\.tokenmesh.*paybill/,
    ],
    [
      'an attribute that may be absent',
      '@id("a")\nforbid (principal, action, resource) when { context.purpose == "x" };',
      /^a\.cedar:2: .*optional attribute `purpose`.*has purpose/,
    ],
    [
      'an attribute that there is not',
      '@id("a")\nforbid (principal, action, resource) when { context.mood == "x" };',
      /^a\.cedar:2: .*mood/,
    ],
    [
      'a policy that can never apply',
      '@id("a")\nforbid (principal, action, resource) when { 1 == 2 };',
      /^a\.cedar:1: .*impossible/,
    ],
    [
      'a template',
      '@id("a")\npermit (principal == ?principal, action, resource);',
      /^a\.cedar: .*includes a template/,
    ],
    [
      'a file of comments',
      '// permit (principal, action, resource);\n',
      /^a\.cedar: expected at least one policy, got none/,
    ],
    ['an empty file', '', /^a\.cedar: expected at least one policy, got none/],
  ])('are refused for %s, with the file and what is wrong', (_, text, told) => {
    const problems = problemsOf(text);
    expect(problems[0]).toMatch(told);
    expect(problems.join()).not.toContain('policy0');
  });

  it('count lines after letters of more than one byte', () => {
    const text = `// naïve – “quoted” 🂡\n${GOOD}\nforbid (principal, action, resource == FieldClass::"x");`;
    expect(problemsOf(text).every((each) => each.startsWith('a.cedar:5: '))).toBe(true);
  });

  it('are told by their line, however many there are', () => {
    const policies = Array.from(
      { length: 12 },
      (_, index) => `@id("p${index}")\npermit (principal, action, resource);`,
    );
    const text = policies.with(10, 'permit (principal, action, resource);').join('\n');
    expect(problemsOf(text)).toEqual([expect.stringMatching(/^a\.cedar:21: .*@id/)]);
  });

  it('are refused with a remedy that names the command to check them with', () => {
    expect(() => compileWithMesh(tokenizationMesh, [{ name: 'a.cedar', text: '' }])).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('npm run mesh -- policy check') }),
    );
  });

  it('are refused with every problem of every file at once', () => {
    const files = ['a', 'b'].map((name) => ({ name: `${name}.cedar`, text: `permit (${name}` }));
    expect(() => compileWithMesh(tokenizationMesh, files)).toThrow(/a\.cedar:1: .*; b\.cedar:1: /);
  });

  it('are refused where two share an id, naming both', () => {
    const files = ['a', 'b'].map((name) => ({ name: `${name}.cedar`, text: GOOD }));
    expect(() => compileWithMesh(tokenizationMesh, files)).toThrow(
      'b.cedar:1: expected an @id of its own, got "a.good-one" of a.cedar',
    );
  });

  it('show no long row of digits of what they hold', () => {
    expect(problemsOf('permit 4111111111111111').join()).not.toMatch(/\d{6}/);
  });

  it('have a revision that follows names and texts', () => {
    const revisions = [
      [],
      [{ name: 'a', text: 'b' }],
      [{ name: 'b', text: 'a' }],
      [
        { name: 'a', text: '' },
        { name: 'b', text: '' },
      ],
    ].map(revisionOf);
    expect(new Set(revisions).size).toBe(4);
    expect(revisionOf([{ name: 'a', text: 'b' }])).toBe(revisions[1]);
  });
});

describe('the schema that ships', () => {
  const schema = readFileSync(join(SHIPPED_POLICIES_DIRECTORY, 'tokenizer.cedarschema'), 'utf8');

  it('knows every class and every operation of the vault, and no other', () => {
    const inQuotes = (text: string | undefined): string[] =>
      [...(text ?? '').matchAll(/"([^"]+)"/g)].map(([, name = '']) => name).toSorted();
    expect(inQuotes(/entity FieldClass enum \[(.*?)\]/s.exec(schema)?.[1])).toEqual(
      [...FIELD_CLASS_NAMES].toSorted(),
    );
    expect(inQuotes(/^action (.*?) appliesTo/ms.exec(schema)?.[1])).toEqual(
      [...FIELD_OPERATION_NAMES].toSorted(),
    );
  });
});

describe('the policies that ship', () => {
  it('are valid, and only forbid', async () => {
    const files = await readPolicyFiles(SHIPPED_POLICIES_DIRECTORY);
    expect(files.map(({ name }) => name)).toEqual(['addresses.cedar', 'separated-duties.cedar']);
    expect([...compileWithMesh(tokenizationMesh, files).keys()].slice(14)).toEqual([
      'addresses.payment-only',
      'separated-duties.order-never-reveals',
      'separated-duties.bulk-never-reveals',
      'separated-duties.paybill-never-writes',
    ]);
    expect(files.filter(({ text }) => /^permit/m.test(text))).toEqual([]);
  });

  it('keep writers from reading and readers from writing, even where the mesh grants it', async () => {
    const everything = {
      tenants: ['shop'],
      defaultPurpose: 'payment',
      grants: [
        { operation: 'tokenize', classes: '*' },
        { operation: 'detokenize', classes: '*', plainFor: ['payment', 'curiosity'] },
        ...(['read-metadata', 'delete', 'archive', 'search', 'check-value', 'check-token'] as const).map(
          (operation) => ({ operation, classes: '*' }) as const,
        ),
      ],
    } as const;
    const mesh = { ...withNode('order', (node) => ({ ...node, vaultAccess: everything })) };
    const generous = {
      ...mesh,
      virtualNodes: {
        ...mesh.virtualNodes,
        paybill: { ...mesh.virtualNodes['order']!, vaultAccess: everything },
      },
      functions: { bulk: { backends: ['tokenizer'], vaultAccess: everything } },
    };
    const policy = createCedarPolicy(
      compileWithMesh(generous, await readPolicyFiles(SHIPPED_POLICIES_DIRECTORY)),
    );
    const allowed = (node: string, change: Partial<PolicyRequest>) =>
      FIELD_OPERATION_NAMES.filter((operation) =>
        policy.permits({
          identity: `${node}.tokenmesh.internal`,
          operation,
          tenant: 'shop',
          class: 'pan',
          purpose: 'payment',
          kind: 'random',
          format: 'default',
          ...change,
        }),
      );
    expect(allowed('order', {})).toEqual([
      'tokenize',
      'read-metadata',
      'delete',
      'archive',
      'search',
      'check-value',
      'check-token',
    ]);
    expect(allowed('bulk', {})).toEqual(allowed('order', {}));
    expect(allowed('paybill', {})).toEqual([
      'reveal-masked',
      'reveal-plain',
      'read-metadata',
      'search',
      'check-value',
      'check-token',
    ]);
    expect(allowed('paybill', { class: 'address', purpose: 'curiosity' })).toEqual([
      'read-metadata',
      'search',
      'check-value',
      'check-token',
    ]);
    expect(allowed('paybill', { class: 'name', purpose: 'curiosity' })).toContain('reveal-plain');
  });
});

describe('a decision', () => {
  const request: PolicyRequest = {
    identity: 'paybill.tokenmesh.internal',
    operation: 'reveal-plain',
    tenant: 'shop',
    class: 'pan',
    purpose: 'payment',
    kind: 'random',
    format: 'default',
  };

  it('names the policies that permit', () => {
    const policy = createCedarPolicy(compileWithMesh(tokenizationMesh, [{ name: 'a.cedar', text: GOOD }]));
    expect(policy.decide(request)).toEqual({
      permitted: true,
      policyIds: ['a.good-one', 'mesh.paybill.reveal-plain'],
    });
  });

  it('names the policies that forbid, and not those that they outweigh', () => {
    const text =
      '@id("b")\nforbid (principal, action, resource);\n@id("a")\nforbid (principal, action, resource);';
    const policy = createCedarPolicy(compileWithMesh(tokenizationMesh, [{ name: 'a.cedar', text }]));
    expect(policy.decide(request)).toEqual({ permitted: false, policyIds: ['a', 'b'] });
  });

  it('names none where it is denied by default', () => {
    const policy = createCedarPolicy(compilePolicies(tokenizationMesh));
    expect(policy.decide({ ...request, purpose: 'curiosity' })).toEqual({ permitted: false, policyIds: [] });
  });

  it('is a denial where a policy cannot be evaluated, though another permits', () => {
    const text = `${GOOD}@id("b.fails")\nforbid (principal, action, resource) when { context.purpose like "*" };`;
    const set = new Map([
      ...compilePolicySet([{ name: 'a', text: GOOD }]),
      ['b.fails', text.slice(GOOD.length)],
    ]);
    const policy = createCedarPolicy(set);
    const { purpose: _, ...withoutPurpose } = request;
    expect(policy.decide(withoutPurpose)).toEqual({ permitted: false, policyIds: ['b.fails'] });
  });

  it('is not given again once the policies are replaced', () => {
    const policy = createCedarPolicy(compilePolicySet([{ name: 'a', text: GOOD }]));
    expect(policy.permits(request)).toBe(true);
    policy.replace(new Map());
    expect(policy.decide(request)).toEqual({ permitted: false, policyIds: [] });
    policy.replace(compilePolicySet([{ name: 'a', text: GOOD }]));
    expect(policy.permits(request)).toBe(true);
  });
});
