/**
 * What the processes of all sample apps have in common: where they listen, how
 * they go out, how they start and end.
 *
 * @module
 */

import type { FastifyInstance } from 'fastify';
import { TokenmeshError } from '../errors/error.ts';
import { listenOnSocket } from '../runtime/http-server.ts';
import { stopOnSignal } from '../runtime/lifecycle.ts';
import { createLogger, type Logger } from '../runtime/log.ts';
import { startTracing, tracing } from '../runtime/tracing.ts';
import type { Settings } from './environment.ts';

/** The two sockets that an app shares with its Envoy. */
export interface AppSockets {
  /** Where the app listens; only its Envoy connects. */
  readonly appSocket: string;
  /** Where its Envoy takes what the app sends. */
  readonly egressSocket: string;
}

export function readSockets(settings: Settings): AppSockets {
  return {
    appSocket: settings.socketPath('TOKENMESH_APP_SOCKET'),
    egressSocket: settings.socketPath('TOKENMESH_EGRESS_SOCKET'),
  };
}

/** A composed app, not yet listening. */
export interface ComposedApp {
  readonly server: FastifyInstance;
  readonly appSocket: string;
  /** Closes what the app goes out with, after the server has drained. */
  readonly close: () => Promise<void>;
}

/** Runs an app on its socket until a signal: see {@link runListener}. */
export async function runApp(name: string, compose: (logger: Logger) => ComposedApp): Promise<void> {
  await runListener(name, async (logger) => {
    const { server, appSocket, close } = compose(logger);
    await listenOnSocket(server, appSocket);
    return {
      at: { socket: appSocket },
      close: async () => {
        await server.close();
        await close();
      },
    };
  });
}

/** Something that listens: where, as the log says it, and how it ends. */
export interface Listening {
  readonly at: Readonly<Record<string, string | number>>;
  readonly close: () => Promise<void>;
}

/** Runs a process until a signal; ends with code 1, and one line that says why, where it cannot start. */
export async function runListener(
  name: string,
  start: (logger: Logger) => Promise<Listening>,
): Promise<void> {
  const logger = createLogger(name);
  try {
    await startTracing(name, process.env);
    const listening = await start(logger);
    stopOnSignal(async () => {
      await listening.close();
      await tracing()?.flush();
    });
    logger.info(listening.at, 'app listens');
  } catch (error) {
    logger.fatal(startFailure(error), 'app did not start');
    process.exitCode = 1;
  }
}

function startFailure(error: unknown): Record<string, unknown> {
  if (error instanceof TokenmeshError) {
    return { code: error.code, reason: error.message, remedy: error.remedy };
  }
  return { reason: error instanceof Error ? error.message : 'unknown' };
}

/** Liveness says that the process answers; readiness runs `check`, whose rejection is the problem that is shown. */
export function addHealthRoutes(server: FastifyInstance, check: () => Promise<unknown>): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async () => {
    await check();
    return { status: 'ready' };
  });
}
