/**
 * However a run ends, nothing of it is left, and the exit code says how it ended.
 *
 * @module
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { leftOf, processesOf, StartedRun } from '../support/running-mesh.ts';

const DEADLINE_MS = 240_000;

describe('Ctrl-C', () => {
  it.each([
    ['before anything has started', 'Envoy and the AWS emulator', 0],
    ['while AWS is being set up', 'keys, tables', 400],
    ['while the Envoys start', 'Envoys and apps', 1_000],
    ['while orders go on', 'orders placed', 300],
  ])(
    '%s ends with 130 and leaves nothing',
    async (_when, stage, afterMs) => {
      const run = new StartedRun();
      await run.says(stage);
      const { directory, stateFile } = run;
      await sleep(afterMs);
      run.interrupt();
      expect(await run.exited).toBe(130);
      expect(leftOf({ directory })).toEqual([]);
      expect(processesOf(stateFile)).toEqual([]);
      expect(existsSync(stateFile)).toBe(false);
      await run.end();
    },
    DEADLINE_MS,
  );

  it(
    'while packages are installed ends with 130 and leaves no half of an environment',
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'tokenmesh-home-'));
      try {
        const run = new StartedRun(undefined, [], { TOKENMESH_HOME: home });
        await run.says('fetching the Python packages');
        await sleep(500);
        run.interrupt();
        expect(await run.exited).toBe(130);
        expect(readdirSync(join(home, '.tokenmesh', 'python'))).toEqual([]);
        expect(processesOf(home)).toEqual([]);
        await run.end();
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
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
    [
      'the processor',
      async (state) => pidOf(processesOf(join(state.directory, 'processor')).find(isProcessor)),
      /the processor .*SIGKILL/,
    ],
    ['the AWS emulator', async (state) => emulatorOf(state), /AWS emulator .*SIGKILL/],
  ])(
    'of %s ends the run with 1, says which died, and leaves nothing',
    async (_what, victimOf, said) => {
      const run = new StartedRun();
      await run.says('orders placed');
      const { state } = run;
      const pid = await victimOf(state);
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
  return pidOf(processesOf(commandLine)[0]);
}

function isProcessor(found: string): boolean {
  return readFileSync(`/proc/${pidOf(found)}/cmdline`, 'utf8').includes('local/processor/main.ts');
}

function pidOf(found: string | undefined): number | undefined {
  return found === undefined ? undefined : Number(found.replace('process ', ''));
}
