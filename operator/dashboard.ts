/**
 * `mesh dashboard`: serves the dashboard for a mesh that runs, until Ctrl-C.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { emulatorClients } from './aws-clients.ts';
import { serveDashboard } from './dashboard/server.ts';
import { untilInterrupted } from './interrupted.ts';
import { isAlive, type RunState } from './run-state.ts';

export interface DashboardCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

const LOOK_EVERY_MS = 1_000;

export function addDashboardCommand(
  program: Command,
  { mesh, runningMesh, print }: DashboardCommandParts,
): void {
  program
    .command('dashboard')
    .description('serve the dashboard on 127.0.0.1, until Ctrl-C; npm start serves one too')
    .option('--port <port>', 'the port; one that is free unless given', portOf)
    .option('--check-every <seconds>', 'how often the checks of verify are made', secondsOf, 300)
    .action(async ({ port, checkEvery }: { port?: number; checkEvery: number }) => {
      const state = runningMesh();
      const aws = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const { signal } = untilInterrupted();
      const dashboard = await serveDashboard({ mesh, state, aws, checkEverySeconds: checkEvery }, port);
      print(`dashboard  ${dashboard.url}\nstop       Ctrl-C`);
      while (!signal.aborted && isAlive(state.pid)) {
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
      await dashboard.close();
      if (!signal.aborted) throw runEnded();
    });
}

function runEnded(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_NOT_RUNNING',
    message: 'the mesh has ended: expected it to go on while its dashboard is served',
    remedy: 'start it with: npm start, which serves the dashboard too',
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a port from 1 to 65535');
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('expected seconds from 1 to 86400');
}
