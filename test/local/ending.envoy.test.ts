/**
 * However a run ends, nothing of it is left, and the exit code says how it ended.
 *
 * @module
 */

import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { leftOf, processesOf, StartedRun } from '../support/running-mesh.ts';

const DEADLINE_MS = 240_000;

/** Folders of runs that are there now: none of them may outlive this suite's own run. */
function runFolders(): string[] {
  return existsSync('/dev/shm')
    ? readdirSync('/dev/shm').filter((name) => name.startsWith('tokenmesh-'))
    : [];
}

async function nothingMore(before: readonly string[], stateFile: string): Promise<void> {
  expect(runFolders().filter((name) => !before.includes(name))).toEqual([]);
  expect(processesOf(stateFile)).toEqual([]);
  expect(existsSync(stateFile)).toBe(false);
}

describe('Ctrl-C', () => {
  it.each([
    ['before anything has started', 'Envoy and the AWS emulator', 0],
    ['while AWS is being set up', 'keys, tables', 400],
    ['while the Envoys start', 'Envoys and apps', 1_000],
    ['while orders go on', 'orders placed', 300],
  ])(
    '%s ends with 130 and leaves nothing',
    async (_when, stage, afterMs) => {
      const before = runFolders();
      const run = new StartedRun();
      await run.says(stage);
      await sleep(afterMs);
      run.interrupt();
      expect(await run.exited).toBe(130);
      await nothingMore(before, run.stateFile);
      await run.end();
    },
    DEADLINE_MS,
  );
});

describe('kill -9', () => {
  it.each<[string, (state: RunState) => Promise<number | undefined>, RegExp]>([
    ['an app', async (state) => nodeState(state, 'paybill').pids.app, /app of paybill .*SIGKILL/],
    ['an agent', async (state) => nodeState(state, 'order').pids.agent, /sidecar of order .*SIGKILL/],
    [
      'an Envoy',
      async (state) => (await sidecarStatus(nodeState(state, 'gateway').agentSocket))?.envoyPid,
      /Envoy of gateway ended/,
    ],
    ['the AWS emulator', async (state) => emulatorOf(state), /AWS emulator .*SIGKILL/],
  ])(
    'of %s ends the run with 1, says which died, and leaves nothing',
    async (_what, pidOf, said) => {
      const run = new StartedRun();
      await run.says('orders placed');
      const { state } = run;
      const pid = await pidOf(state);
      expect(pid).toBeGreaterThan(1);
      process.kill(pid ?? 0, 'SIGKILL');
      expect(await run.exited).toBe(1);
      expect(run.output).toMatch(said);
      expect(leftOf(state)).toEqual([]);
      await run.end();
    },
    DEADLINE_MS,
  );

  it(
    'of the runner itself takes every child with it, and the next run clears the rest away',
    async () => {
      const run = new StartedRun();
      await run.says('orders placed');
      const { state } = run;
      process.kill(state.pid, 'SIGKILL');
      await run.exited;
      const deadline = Date.now() + 10_000;
      while (processesOf(state.directory).length > 0 && Date.now() < deadline) await sleep(100);
      expect(processesOf(state.directory)).toEqual([]);
      expect(existsSync(state.directory)).toBe(true);
      const next = new StartedRun(run.stateFile);
      await next.says('Envoys and apps');
      expect(existsSync(state.directory)).toBe(false);
      await next.end();
      await run.end();
    },
    DEADLINE_MS,
  );
});

function emulatorOf(state: RunState): number | undefined {
  const { port } = new URL(state.aws.endpointUrl);
  const commandLine = ['emulator', '--host', '127.0.0.1', '--port', port].join(String.fromCodePoint(0));
  const [found] = processesOf(commandLine);
  return found === undefined ? undefined : Number(found.replace('process ', ''));
}
