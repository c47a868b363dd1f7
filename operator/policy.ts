/**
 * `npm run mesh -- policy test` and `policy check`: what the policies say, with nothing running.
 *
 * @module
 */

import { resolve } from 'node:path';
import { type Command } from 'commander';
import { describeError, TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { createCedarPolicy } from '../sidecar/tokenizer/adapters/cedar-policy.ts';
import {
  compileWithMesh,
  policiesDirectoryIn,
  readPolicyFiles,
  revisionOf,
} from '../sidecar/tokenizer/adapters/policy-files.ts';
import { FIELD_CLASS_NAMES } from '../sidecar/tokenizer/core/field-class.ts';
import { EXIT_WRONG_USE } from './exit-codes.ts';
import { simulate, SIMULATED_OPERATIONS, type Simulation } from './policy-simulation.ts';

const EXIT_DENIED = 1;

interface TestOptions {
  readonly class: string;
  readonly purpose?: string;
  readonly tenant?: string;
  readonly policies?: string;
  readonly json?: boolean;
}

/** Adds the verb; both of its parts look at the folder that the service would look at. */
export function addPolicyCommand(program: Command, mesh: Mesh, print: (text: string) => void): void {
  const policy = program.command('policy').description('asks and checks the policies; needs no running mesh');
  policy
    .command('test')
    .description('say what one identity may do with one class of field, and which policies decide it')
    .argument('<identity>', 'a node such as paybill, or the whole name in a certificate')
    .argument('<operation>', SIMULATED_OPERATIONS.join(', '))
    .requiredOption('--class <class>', FIELD_CLASS_NAMES.join(', '))
    .option('--purpose <purpose>', "what a value is for; the node's own purpose unless given")
    .option('--tenant <tenant>', "the node's first tenant unless given")
    .option(
      '--policies <folder>',
      'the policy files; TOKENMESH_POLICIES_DIRECTORY or the shipped ones by default',
    )
    .option('--json', 'print one JSON document')
    .action(async (who: string, operation: string, options: TestOptions) => {
      await answering(async () => {
        const simulation = await simulated(mesh, who, operation, options);
        print(options.json === true ? JSON.stringify(simulation, null, 2) : simulationReport(simulation));
        if (!simulation.permitted) process.exitCode = EXIT_DENIED;
      });
    });
  policy
    .command('check')
    .description('check policy files as the service does before it takes them')
    .argument('[folder]', 'TOKENMESH_POLICIES_DIRECTORY or the shipped ones by default')
    .action(async (folder: string | undefined) => {
      const directory = directoryOf(folder);
      const files = await readPolicyFiles(directory);
      const set = compileWithMesh(mesh, files);
      print(`${directory}: ${files.length} files are valid, revision ${revisionOf(files)}`);
      for (const id of [...set.keys()].toSorted()) print(`  ${id}`);
    });
}

async function simulated(
  mesh: Mesh,
  who: string,
  operation: string,
  options: TestOptions,
): Promise<Simulation> {
  const { purpose, tenant } = options;
  const set = compileWithMesh(mesh, await readPolicyFiles(directoryOf(options.policies)));
  return simulate(mesh, createCedarPolicy(set), {
    who,
    operation,
    class: options.class,
    ...(purpose === undefined ? {} : { purpose }),
    ...(tenant === undefined ? {} : { tenant }),
  });
}

/** Denied and broken must not look alike: policies that are not valid decide nothing. */
async function answering(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TokenmeshError)) throw error;
    process.stderr.write(`mesh: ${describeError(error)}\n`);
    process.exitCode = EXIT_WRONG_USE;
  }
}

function directoryOf(given: string | undefined): string {
  return given === undefined ? policiesDirectoryIn(process.env) : resolve(given);
}

function simulationReport(simulation: Simulation): string {
  const { identity, operation, tenant, purpose, permitted, form, reason, decidedBy, policyIds } = simulation;
  return [
    `${permitted ? 'PERMITTED' : 'DENIED'}  ${identity} ${operation} ${simulation.class}`,
    `  tenant   ${tenant ?? '-'}`,
    `  purpose  ${purpose ?? '-'}`,
    ...(form === undefined ? [] : [`  form     ${form}`]),
    `  because  ${reason}`,
    `  by       ${decidedBy === 'mesh' ? 'the mesh definition' : policyIds.join(', ') || 'default: denied'}`,
  ].join('\n');
}
