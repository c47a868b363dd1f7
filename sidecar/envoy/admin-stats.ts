import { Agent, request } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';

const ANSWER_MS = 1_000;

/** Counters and gauges of this Envoy, by name. */
export async function adminStats(
  admin: Placement['admin'],
  filter: string,
): Promise<ReadonlyMap<string, number>> {
  const dispatcher = 'socket' in admin ? new Agent({ connect: { socketPath: admin.socket } }) : new Agent();
  const url = 'socket' in admin ? 'http://envoy' : `http://${admin.host}:${admin.port}`;
  try {
    const { body } = await request(`${url}/stats?format=json&filter=${encodeURIComponent(filter)}`, {
      dispatcher,
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    });
    const { stats } = (await body.json()) as { stats: { name?: string; value?: number }[] };
    const named = stats.flatMap(({ name, value }) =>
      name === undefined || value === undefined ? [] : [[name, value] as const],
    );
    return new Map(named);
  } finally {
    await dispatcher.close();
  }
}
