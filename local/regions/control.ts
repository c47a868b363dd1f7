/**
 * Where the runner is told, by the operator's command, to lose a region and to bring it back.
 *
 * @module
 */

import { createServer, listenOnSocket } from '../../runtime/http-server.ts';
import type { Logger } from '../../runtime/log.ts';

export interface RegionControl {
  /** @throws {TokenmeshError} `ERR_REGION_STATE`, `ERR_REGION_UNKNOWN` */
  lose(region: string): Promise<void>;
  restore(region: string): Promise<void>;
}

const BODY_LIMIT_BYTES = 1_024;

/** @returns Stops it. */
export async function serveControl(
  socketPath: string,
  control: RegionControl,
  logger: Logger,
): Promise<() => Promise<void>> {
  const app = createServer({
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    problemOf: () => ({ status: 409, title: 'The region cannot be changed.' }),
  });
  for (const verb of ['lose', 'restore'] as const) {
    app.post<{ Params: { region: string } }>(`/regions/:region/${verb}`, async (request, reply) => {
      await control[verb](request.params.region);
      return await reply.code(204).send();
    });
  }
  await listenOnSocket(app, socketPath);
  return async () => await app.close();
}
