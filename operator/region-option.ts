import type { Command } from 'commander';

/** Verbs that ask no running mesh, or all regions of it. */
const WITHOUT_REGION: ReadonlySet<string> = new Set(['metrics', 'policy', 'regions', 'scan', 'verify-node']);

const MEANING = 'of a run with two regions, which one; the first unless given';

/**
 * Gives `--region` to every verb that asks a running mesh, but those that have one of their own.
 *
 * @param onChosen - Told before the verb does anything.
 */
export function addRegionOption(root: Command, onChosen: (region: string | undefined) => void): void {
  const asking = root.commands.filter((command) => !WITHOUT_REGION.has(command.name()));
  const taking = new Set(
    asking.flatMap(leavesOf).filter(({ options }) => options.every(({ long }) => long !== '--region')),
  );
  for (const command of taking) command.option('--region <region>', MEANING);
  root.hook('preAction', (_, command) => {
    if (taking.has(command)) onChosen(command.opts<{ region?: string }>().region);
  });
}

function leavesOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}
