import { Command, Option } from 'commander';
import type { LocalOrderStore } from './mesh-run.ts';

export interface StartOptions {
  readonly once?: boolean;
  readonly regions: string;
  readonly orderStore: LocalOrderStore;
}

/** What `npm start` takes. */
export function startCommand(): Command {
  return new Command('npm start --')
    .description('Starts the whole mesh on this machine, sends orders through it, and proves every edge.')
    .option('--once', 'stop after the proof; the exit code is 0 only if everything held')
    .addOption(
      new Option('--regions <count>', 'a whole mesh in each of two regions, whose tokens both read')
        .choices(['1', '2'])
        .default('1'),
    )
    .addOption(
      new Option(
        '--order-store <store>',
        'where the order app keeps its history; mysql starts a server that is installed here',
      )
        .choices(['dynamodb', 'mysql'])
        .default('dynamodb'),
    );
}
