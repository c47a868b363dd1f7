/**
 * `npm run fuzz`: changes inputs at random, led by coverage, until a promise is broken or the time is over. Exit code
 * 0 where all held.
 *
 * @module
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import { inspect } from 'node:util';
import { seededBelow } from './below.ts';
import { fuzz } from './fuzzing.ts';
import { TARGETS } from './targets.ts';

const EXIT_WRONG_USE = 2;

const { target, seconds, seed } = new Command('npm run fuzz --')
  .description('Fuzzes what reads bytes and texts of others.')
  .addOption(new Option('--target <name>', 'one alone').choices(Object.keys(TARGETS)))
  .option('--seconds <count>', 'for each target', wholeNumber, 10)
  .option('--seed <number>', 'of the random changes', wholeNumber, 1)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .parse()
  .opts<{ target?: string; seconds: number; seed: number }>();

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}

let held = true;
for (const name of target === undefined ? Object.keys(TARGETS) : [target]) {
  const chosen = TARGETS[name];
  if (chosen === undefined) continue;
  const { runs, kept, functions, failure } = await fuzz(chosen, seconds * 1000, seededBelow(seed));
  process.stdout.write(
    `${name.padEnd(9)} ${runs} inputs in ${seconds} s, ${kept} kept, ${functions} functions reached: ${failure === undefined ? 'held' : 'did not hold'}\n`,
  );
  if (failure === undefined) continue;
  held = false;
  process.stdout.write(`${inspect(failure.error)}\ninput, base64: ${failure.input.toString('base64')}\n`);
}
process.exit(held ? 0 : 1);
