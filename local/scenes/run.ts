/**
 * `npm run scene -- <name>`: plays a story on the mesh that is running. Exit code 0 where it ended as it has to.
 *
 * @module
 */

import { Argument, Command } from 'commander';
import { describeError } from '../../errors/error.ts';
import { readRunState, runStateFile } from '../../operator/run-state.ts';
import { bulkLoad } from './bulk-load.ts';
import { lostRegion } from './lost-region.ts';
import type { Scene } from './scene.ts';

const SCENES: Readonly<Record<string, Scene>> = { 'bulk-load': bulkLoad, 'lost-region': lostRegion };

const EXIT_WRONG_USE = 2;

const [name = ''] = new Command('npm run scene --')
  .description('Plays a story on the running mesh: something is killed, and nothing is lost.')
  .addArgument(new Argument('<scene>').choices(Object.keys(SCENES)))
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .parse().args;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const stateFile = runStateFile(process.env);
  const state = readRunState(stateFile);
  const scene = SCENES[name] ?? bulkLoad;
  say(scene.title);
  const held = await scene.play({ state, stateFile, say });
  say(held ? 'held' : 'did not hold');
  process.exitCode = held ? 0 : 1;
} catch (error) {
  process.stderr.write(`scene: ${describeError(error)}\n`);
  process.exitCode = 1;
}
