import type { Mesh, VaultOperation } from '../../../mesh/definition.ts';
import { vaultCallers } from '../../../mesh/vault-access.ts';
import { isVaultRate, VAULT_OPERATIONS } from '../../../mesh/vault-rates.ts';
import type { NodeRates, RateOverrides } from './rate-limit.ts';

export interface ParsedOverrides {
  readonly overrides: RateOverrides;
  readonly problems: readonly string[];
}

/**
 * Limits as JSON: `{ "<node>": { "<operation>": { "perSecond": 5, "burst": 20 } } }`.
 *
 * @returns Every problem, each with its path; nothing is overridden where there is one.
 */
export function parseRateOverrides(text: string | undefined, mesh: Mesh): ParsedOverrides {
  if (text === undefined || text === '') return { overrides: {}, problems: [] };
  const parsed = parseObject(text);
  if (parsed === undefined)
    return { overrides: {}, problems: ['expected one JSON object, got another text'] };
  const problems = Object.entries(parsed).flatMap(([node, rates]) => nodeProblems(mesh, node, rates));
  return { overrides: problems.length === 0 ? (parsed as Record<string, NodeRates>) : {}, problems };
}

function nodeProblems(mesh: Mesh, node: string, rates: unknown): string[] {
  const nodes = vaultCallers(mesh);
  if (!nodes.includes(node)) return [`${show(node)}: expected one of ${nodes.join(', ')}`];
  if (!isObject(rates)) return [`${node}: expected an object of operations`];
  return Object.entries(rates).flatMap(([operation, rate]) => {
    if (!VAULT_OPERATIONS.includes(operation as VaultOperation)) {
      return [`${node}.${show(operation)}: expected one of ${VAULT_OPERATIONS.join(', ')}`];
    }
    if (isVaultRate(rate)) return [];
    return [`${node}.${operation}: expected just perSecond above 0 and a whole burst of 1 or more`];
  });
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(name: string): string {
  return JSON.stringify(name.replaceAll(/\d{6,}/g, '[digits]').slice(0, 64));
}
