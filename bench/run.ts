/**
 * `npm run bench`: measures what the documents state. Exit code 1: a figure does not hold, or could not be
 * taken; 2: wrong use.
 *
 * @module
 */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { runIssuance } from './issuance/issuance-bench.ts';
import { FULL_PLAN, QUICK_PLAN } from './certificates/certificates-bench.ts';
import { runCertificatesCommand } from './certificates/command.ts';
import { runLoad, TOKEN_CHOICES, type LoadCommand } from './load.ts';
import { runRegions } from './regions/regions-bench.ts';
import { runMeshCommand } from './mesh/command.ts';
import { OPERATIONS, type OperationName } from './mesh/operations.ts';
import { MEASURING_PARTS, PARTS, type Part } from './mesh/bench-parts.ts';
import { run as dynamodbTransport } from './dynamodb-transport.ts';
import { run as secretDelivery } from './secret-delivery.ts';
import { planFor, SIDE_CONNECTIONS } from './mesh/plan.ts';
import { run as tokenFormats } from './token-formats.ts';

interface BenchOptions {
  readonly json?: boolean;
  readonly quick?: boolean;
  readonly seconds?: number;
  readonly connections?: readonly number[];
  readonly part?: readonly Part[];
  readonly operation?: readonly OperationName[];
  readonly dynamodbUrl?: string;
  readonly dynamodbLocal?: boolean;
  readonly out?: string;
}

const BENCHES = [
  'token-formats',
  'issuance',
  'dynamodb-transport',
  'secret-delivery',
  'mesh',
  'certificates',
  'regions',
] as const;
type BenchName = (typeof BENCHES)[number];

const EXIT_WRONG_USE = 2;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0');
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a whole number above 0');
}

/** One more of an option that may be given several. */
function wholes(text: string, before: readonly number[] | undefined): number[] {
  return [...(before ?? []), whole(text)];
}

/** @returns The exit code. */
async function runBench(name: BenchName, options: BenchOptions): Promise<number> {
  const {
    json = false,
    quick = false,
    seconds,
    part = MEASURING_PARTS,
    operation,
    dynamodbUrl,
    out,
  } = options;
  if (!json) process.stdout.write(`## ${name}\n\n`);
  if (name === 'issuance') return runIssuance(json) ? 0 : 1;
  if (name === 'regions') return runRegions(say) ? 0 : 1;
  if (name === 'token-formats') return (await tokenFormats()) ? 0 : 1;
  if (name === 'dynamodb-transport') return (await dynamodbTransport()) ? 0 : 1;
  if (name === 'secret-delivery') return (await secretDelivery()) ? 0 : 1;
  if (name === 'certificates') {
    return await runCertificatesCommand({
      plan: quick ? QUICK_PLAN : FULL_PLAN,
      isJson: json,
      ...(out === undefined ? {} : { outDirectory: out }),
    });
  }
  return await runMeshCommand({
    plan: planFor(quick, seconds),
    parts: part,
    operations: OPERATIONS.filter(({ name: each }) => operation?.includes(each) ?? true),
    sideConnections: options.connections ?? SIDE_CONNECTIONS,
    isJson: json,
    isDynamodbLocal: options.dynamodbLocal === true,
    ...(dynamodbUrl === undefined ? {} : { dynamodbUrl }),
    ...(out === undefined ? {} : { outDirectory: out }),
  });
}

async function main(name: BenchName | undefined, options: BenchOptions): Promise<void> {
  // The formats are statistics with no baseline: they have no form as JSON.
  const all: readonly BenchName[] = options.json === true ? ['mesh'] : BENCHES;
  const codes: number[] = [];
  for (const each of name === undefined ? all : [name]) codes.push(await runBench(each, options));
  process.exit(Math.max(...codes));
}

const program = new Command('npm run bench --')
  .description('Measures what the documents state, and prints it as Markdown: docs/performance.md.')
  .addArgument(new Argument('[name]', 'one alone').choices(BENCHES))
  .option(
    '--json',
    'print the figures of mesh, or of certificates, as JSON, and nothing else on standard output',
  )
  .option('--quick', 'short rounds: less than two minutes')
  .option('--seconds <number>', 'how long a round of load goes on', positive)
  .option('--connections <number...>', 'beside 32, which the figures are of (default: 1 256)', wholes)
  .addOption(
    new Option('--part <part...>', 'of mesh, these parts alone; all but profile by default').choices(PARTS),
  )
  .addOption(
    new Option('--operation <name...>', 'of the rounds, these operations alone').choices(
      OPERATIONS.map((each) => each.name),
    ),
  )
  .option('--dynamodb-url <url>', 'an empty DynamoDB to run mesh on as well, such as an emulator')
  .addOption(
    new Option(
      '--dynamodb-local',
      'the same on DynamoDB Local: it has terms of its own, which are yours to accept, and Maven fetches it',
    ).conflicts('dynamodbUrl'),
  )
  .option('--out <folder>', 'where the raw output is kept, in place of .tokenmesh/bench/<time>')
  .action(main)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE));

program
  .command('load')
  .description('Sends known and unknown tokens to the mesh that runs (npm start), through an Envoy.')
  .addOption(new Option('--tokens <which>', 'what is asked for').choices(TOKEN_CHOICES).default('mixed'))
  .option('--connections <number>', 'that are kept open', whole, 8)
  .option('--seconds <number>', 'how long, about', positive, 10)
  .option('--url <url>', 'of a tokenizer without a mesh, in place of the one that runs')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .action(async (options: LoadCommand) => process.exit(await runLoad(options)));

await program.parseAsync();
