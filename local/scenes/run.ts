/**
 * `npm run scene -- <name...>`: plays stories, each on the mesh that is running, or, where it breaks what others work
 * with, on one of its own. Exit code 0 where all ended as they have to.
 *
 * @module
 */

import { Argument, Command, InvalidArgumentError } from 'commander';
import { describeError } from '../../errors/error.ts';
import { readRunState, runStateFile } from '../../operator/run-state.ts';
import { stopWithSignals } from '../signals.ts';
import { bulkLoad } from './bulk-load.ts';
import { CLOCK_FAULTS } from './clock-faults.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import { DYNAMODB_FAULTS } from './dynamodb-faults.ts';
import { edgeToToken } from './edge-to-token.ts';
import { kills } from './kills.ts';
import { KMS_FAULTS } from './kms-faults.ts';
import { lostRegion } from './lost-region.ts';
import { OVERLOAD_FAULTS } from './overload-faults.ts';
import { playOutage, settle, verdict, type Outage } from './outage.ts';
import { startOwnMesh, type OwnMesh } from './own-mesh.ts';
import { SECRETS_MANAGER_FAULTS } from './secrets-manager-faults.ts';
import { runOnSmallDisk } from './small-disk.ts';
import type { FaultOptions, FaultScene, Scene } from './scene.ts';

const SCENES: Readonly<Record<string, Scene>> = {
  'bulk-load': bulkLoad,
  'edge-to-token': edgeToToken,
  'lost-region': lostRegion,
};

const FAULTS: Readonly<Record<string, FaultScene>> = {
  ...Object.fromEntries(
    Object.entries({
      ...KMS_FAULTS,
      ...DYNAMODB_FAULTS,
      ...SECRETS_MANAGER_FAULTS,
      ...OVERLOAD_FAULTS,
      ...CLOCK_FAULTS,
      ...DISK_FAULTS,
    }).map(asScene),
  ),
  kills,
};

/** Every one of {@link FAULTS}. */
const ALL_FAULTS = 'faults';

const EXIT_WRONG_USE = 2;

function asScene([name, outage]: [string, Outage]): [string, FaultScene] {
  return [name, { title: outage.title, play: async (mesh, say) => await playOutage(outage, mesh, say) }];
}

const program = new Command('npm run scene --')
  .description('Plays stories: something is broken on purpose, and nothing is lost.')
  .addArgument(
    new Argument('<scenes...>').choices([...Object.keys(SCENES), ...Object.keys(FAULTS), ALL_FAULTS]),
  )
  .option('--count <times>', 'how often, where harm is done again and again', wholeNumber, 20)
  .option('--seed <number>', 'of the random choices', wholeNumber, 1)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .parse();

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function playOnRunning(names: readonly string[]): Promise<boolean> {
  const stateFile = runStateFile(process.env);
  const state = readRunState(stateFile);
  let held = true;
  for (const name of names) {
    const scene = SCENES[name];
    if (scene !== undefined) held = (await told(scene, () => scene.play({ state, stateFile, say }))) && held;
  }
  return held;
}

/** All on one mesh, one after the other: what one breaks, the next must find whole, and so must the last look. */
async function playOnOwn(names: readonly string[], options: FaultOptions): Promise<boolean> {
  const stopped = stopWithSignals();
  const withClock = names.some((name) => name in CLOCK_FAULTS);
  const mesh = await startOwnMesh(stopped, process.env, { withClock });
  let held = true;
  const playAll = async (): Promise<void> => {
    for (const name of names) {
      const scene = FAULTS[name];
      if (scene !== undefined) held = (await told(scene, () => scene.play(mesh, say, options))) && held;
    }
    if (names.length > 1) held = (await told(AFTER_ALL, async () => await stillKept(mesh))) && held;
  };
  try {
    const interrupted = stopped.exitCode.then(() => {
      throw new Error('interrupted');
    });
    await Promise.race([playAll(), interrupted, mesh.runner.failed]);
    return held;
  } finally {
    await mesh.stop();
  }
}

const AFTER_ALL = { title: 'after all of them, every token is opened once more' };

async function stillKept(mesh: OwnMesh): Promise<boolean> {
  mesh.evidence.forget();
  return verdict(await settle(mesh, say), say);
}

async function told({ title }: { readonly title: string }, play: () => Promise<boolean>): Promise<boolean> {
  say(title);
  const held = await play();
  say(held ? 'held' : 'did not hold');
  return held;
}

try {
  const names = (program.processedArgs[0] as string[]).flatMap((name) =>
    name === ALL_FAULTS ? Object.keys(FAULTS) : [name],
  );
  if (names.some((name) => name in DISK_FAULTS)) {
    const code = await runOnSmallDisk();
    if (code !== undefined) process.exit(code);
  }
  const [running, own] = [names.filter((name) => name in SCENES), names.filter((name) => name in FAULTS)];
  const held =
    (running.length === 0 || (await playOnRunning(running))) &&
    (own.length === 0 || (await playOnOwn(own, program.opts<FaultOptions>())));
  process.exit(held ? 0 : 1);
} catch (error) {
  process.stderr.write(`scene: ${describeError(error)}\n`);
  process.exit(1);
}
