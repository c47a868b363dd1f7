import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh as mesh } from '../../../mesh/tokenization-mesh.ts';
import { bootstrapFacts } from '../../../operator/explain/bootstrap-facts.ts';

const rendered = (name: string): string =>
  join(import.meta.dirname, '..', '..', 'golden', 'envoy', `${name}-as-shipped.json`);

describe('the facts of a bootstrap', () => {
  it('are the rules that permit operations, also where others deny tokens and scopes before', async () => {
    const { rules } = await bootstrapFacts(rendered('gateway'));
    const operations = mesh.virtualGateways['gateway']?.listener.operations ?? [];
    expect(operations.length).toBeGreaterThan(0);
    expect(rules).toEqual(new Map(operations.map(({ name }) => [name, 'anyone'])));
  });

  it('are who may call each operation of a node', async () => {
    const { rules } = await bootstrapFacts(rendered('tokenizer'));
    expect(rules.get('detokenize')).toEqual(['paybill.tokenmesh.internal']);
  });
});
