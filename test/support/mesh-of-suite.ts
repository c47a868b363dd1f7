import { afterAll, beforeAll } from '@jest/globals';
import type { RunState } from '../../operator/run-state.ts';
import { closeCalls } from './mesh-call.ts';
import { mesh, StartedRun } from './running-mesh.ts';

const START_DEADLINE_MS = 400_000;
const END_DEADLINE_MS = 120_000;

/** The mesh that the tests of one suite share. */
export interface MeshOfSuite {
  readonly run: StartedRun;
  readonly state: RunState;
}

/**
 * Starts the whole mesh before the tests of a suite, with the files of its identities written, and ends it
 * after them.
 *
 * @param environment - What the user who starts it would set.
 */
export function meshOfSuite(environment: Readonly<Record<string, string>> = {}): MeshOfSuite {
  let started: MeshOfSuite | undefined;
  beforeAll(async () => {
    const run = new StartedRun(undefined, [], environment);
    // Before it is ready, so that it ends with the suite where it never is.
    started = { run, state: {} as RunState };
    await run.says('stop       Ctrl-C', START_DEADLINE_MS);
    started = { run, state: run.state };
    await mesh(run, ['status']);
  }, START_DEADLINE_MS);
  afterAll(async () => {
    await closeCalls();
    await started?.run.end();
  }, END_DEADLINE_MS);
  const running = (): MeshOfSuite => {
    if (started === undefined) throw new Error('expected to be asked within a test');
    return started;
  };
  return {
    get run() {
      return running().run;
    },
    get state() {
      return running().state;
    },
  };
}
