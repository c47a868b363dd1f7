/**
 * `npm run bench -- <name>`: runs one bench of this folder, or all of them. Exit code 1: a figure does not hold.
 *
 * @module
 */

import { Argument, Command } from 'commander';
import { run as tokenFormats } from './token-formats.ts';

/** Each prints its figures, and tells whether they hold what the documents promise. */
const BENCHES: Readonly<Record<string, () => Promise<boolean>>> = { 'token-formats': tokenFormats };

const [name] = new Command('npm run bench --')
  .description('Measures what the documents state, and prints it as Markdown.')
  .addArgument(new Argument('[name]', 'one alone').choices(Object.keys(BENCHES)))
  .parse().args;

for (const [each, run] of Object.entries(BENCHES)) {
  if (name !== undefined && name !== each) continue;
  process.stdout.write(`## ${each}\n\n`);
  if (!(await run())) process.exitCode = 1;
}
