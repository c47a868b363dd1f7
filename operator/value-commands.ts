/**
 * `mesh token` and `mesh detokenize`: one value, as a node of the mesh.
 *
 * @module
 */

import type { Command } from 'commander';
import type { RunState } from './run-state.ts';
import { callTokenizer, readStandardInput } from './vault-call.ts';

export interface ValueCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  readonly onlyStandardInput: (argument: string) => void;
}

export function addTokenCommand(program: Command, parts: ValueCommandParts): void {
  const { runningMesh, print, onlyStandardInput } = parts;
  program
    .command('token')
    .description('tokenize the value on standard input, and print the token')
    .argument('<input>', '- for standard input: a value is not taken as an argument')
    .option('--class <class>', 'the class of the value', 'pan')
    .option('--as <node>', 'the identity that calls', 'order')
    .option('--format <format>', "the token's format, such as region")
    .action(async (input: string, options: { class: string; as: string; format?: string }) => {
      onlyStandardInput(input);
      const state = runningMesh();
      const value = await readStandardInput();
      const fields = { [fieldName(options.class)]: { class: options.class, value } };
      const body = { fields, ...(options.format === undefined ? {} : { format: options.format }) };
      const answer = (await callTokenizer(state, options.as, '/v1/tokens', body)) as { token: string };
      print(answer.token);
    });
}

export function addDetokenizeCommand(program: Command, parts: ValueCommandParts): void {
  const { runningMesh, print, onlyStandardInput } = parts;
  program
    .command('detokenize')
    .description('turn the token on standard input back, and print its fields as JSON')
    .argument('<input>', '- for standard input: a token is not taken as an argument')
    .option('--as <node>', 'the identity that calls', 'paybill')
    .option('--purpose <purpose>', "what the values are for; the identity's own purpose unless given")
    .action(async (input: string, options: { as: string; purpose?: string }) => {
      onlyStandardInput(input);
      const state = runningMesh();
      const token = await readStandardInput();
      const body = { token, ...(options.purpose === undefined ? {} : { purpose: options.purpose }) };
      print(JSON.stringify(await callTokenizer(state, options.as, '/v1/detokenize', body)));
    });
}

function fieldName(fieldClass: string): string {
  return fieldClass === 'pan' ? 'number' : fieldClass;
}
