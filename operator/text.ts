import { type Command, Option } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import type { RunState } from './run-state.ts';
import { callTokenizer, readStandardInput } from './vault-call.ts';

/** What the command needs of the one it is added to. */
export interface TextCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  readonly onlyStandardInput: (argument: string) => void;
}

interface TextOptions {
  readonly as: string;
  readonly json?: boolean;
  readonly report?: boolean;
  readonly mode?: string;
  readonly country?: string;
  readonly purpose?: string;
}

/** What the tokenizer answers to either; of the two contents the one that was sent. */
interface TextAnswer {
  readonly text?: string;
  readonly json?: unknown;
}

const REPORT = 'print the whole answer as JSON: what was found where, or how many tokens became what';

/** `text tokenize -` and `text detokenize -`: from standard input to standard output. */
export function addTextCommand(program: Command, parts: TextCommandParts): void {
  const text = program
    .command('text')
    .description('find personal and card data in a text or JSON document, or turn its tokens back');
  text
    .command('tokenize')
    .description('put tokens in place of the personal and card data on standard input')
    .argument('<input>', '- for standard input: a text is not taken as an argument')
    .option('--json', 'the input is a JSON document')
    .option('--report', REPORT)
    .addOption(
      new Option('--mode <mode>', 'what to put in place').choices(['token', 'mask']).default('token'),
    )
    .option('--country <country>', 'where phone numbers without a country code are from, such as US')
    .option('--as <node>', 'the identity that calls', 'order')
    .action(async (input: string, { mode, country, ...options }: TextOptions) => {
      await pass(parts, '/v1/text/tokenize', input, options, { mode, country });
    });
  text
    .command('detokenize')
    .description('turn the tokens on standard input back, as plain as the identity may see them')
    .argument('<input>', '- for standard input: a text is not taken as an argument')
    .option('--json', 'the input is a JSON document')
    .option('--report', REPORT)
    .option('--purpose <purpose>', "what the values are for; the identity's own purpose unless given")
    .option('--as <node>', 'the identity that calls', 'paybill')
    .action(async (input: string, { purpose, ...options }: TextOptions) => {
      await pass(parts, '/v1/text/detokenize', input, options, { purpose });
    });
}

async function pass(
  { runningMesh, print, onlyStandardInput }: TextCommandParts,
  path: string,
  input: string,
  { as, json, report }: TextOptions,
  options: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  onlyStandardInput(input);
  const state = runningMesh();
  const given = await readStandardInput();
  const content = json === true ? { json: parseDocument(given) } : { text: given };
  const answer = (await callTokenizer(state, as, path, { ...content, ...options })) as TextAnswer;
  if (report === true) return print(JSON.stringify(answer));
  print(answer.text ?? JSON.stringify(answer.json));
}

/** Says nothing of the input, which the parser's own message would quote. */
function parseDocument(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw new TokenmeshError({
      code: 'ERR_INPUT_NOT_JSON',
      message: 'standard input is not JSON: expected one document',
      remedy: 'correct it, or leave out --json to have it taken as a text',
    });
  }
}
