/**
 * `mesh explain <edge>`: why a caller may or may not call.
 *
 * @module
 */

import Table from 'cli-table3';
import type { Command } from 'commander';
import type { Mesh } from '../mesh/definition.ts';
import { FIELD_CLASS_NAMES } from '../sidecar/tokenizer/core/field-class.ts';
import { askedEdge } from './explain/edge-question.ts';
import { explainEdge, type Explanation } from './explain/explain-edge.ts';
import type { VaultRight } from './explain/vault-rights.ts';
import type { RunState } from './run-state.ts';
import { EXIT_NOT_HELD } from './exit-codes.ts';

const PLAIN = { head: [], border: [] };

export interface ExplainCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  /** Writes the certificates that are delivered now where they are looked for. */
  readonly refresh: (state: RunState) => Promise<void>;
}

export function addExplainCommand(
  program: Command,
  { mesh, runningMesh, print, refresh }: ExplainCommandParts,
): void {
  program
    .command('explain')
    .description('why a caller may or may not call: trust, name, rules and policy, each with its fact')
    .argument('<edge...>', 'who calls what, such as order:tokenizer; outside:gateway for the way in')
    .option('--json', 'print one JSON document')
    .action(async (words: string[], options: { json?: boolean }) => {
      const edge = askedEdge(mesh, words);
      const state = runningMesh();
      await refresh(state);
      const explanation = await explainEdge(mesh, state, edge, process.env);
      print(options.json === true ? JSON.stringify(explanation, null, 2) : explanationReport(explanation));
      if (!explanation.ok) process.exitCode = EXIT_NOT_HELD;
    });
}

export function explanationReport(explanation: Explanation): string {
  const { from, to, mode, ok, layers, operations, rights } = explanation;
  const isVault = rights.some(({ classes }) => classes.length > 0);
  return [
    `${ok ? 'MAY CALL' : 'MAY NOT CALL'}  ${from} -> ${to} (${mode})`,
    '',
    ...layers.map(
      (layer) =>
        `${layer.ok ? 'ok    ' : 'NO    '}  ${layer.layer.padEnd(10)}  ${layer.says}\n${' '.repeat(20)}${layer.fact}`,
    ),
    ...(operations.length === 0 ? [] : ['', operationsTable(operations)]),
    ...(!isVault ? [] : ['', rightsTable(rights)]),
  ].join('\n');
}

function operationsTable(operations: Explanation['operations']): string {
  const table = new Table({ head: ['operation', 'method', 'path', 'RBAC', 'who may'], style: PLAIN });
  for (const { name, method, path, permitted, isGranted, callers } of operations) {
    const named = callers === 'anyone' ? 'anyone' : callers.map((each) => each.split('.')[0]).join(', ');
    const who = permitted && !isGranted ? 'every member' : named;
    table.push([name, method, path, permitted ? 'allowed' : 'denied', who || 'nobody']);
  }
  return table.toString();
}

function rightsTable(rights: readonly VaultRight[]): string {
  const table = new Table({ head: ['policy for', 'classes', 'as', 'decided by'], style: PLAIN });
  for (const { operation, form, classes, policyIds, reason } of rights) {
    const which = classes.length === FIELD_CLASS_NAMES.length ? 'all' : classes.join(', ');
    table.push([
      operation,
      classes.length === 0 ? 'none' : which,
      form ?? '',
      policyIds.join('\n') || (reason ?? ''),
    ]);
  }
  return table.toString();
}
