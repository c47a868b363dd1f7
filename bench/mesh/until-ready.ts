import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

const LOOK_EVERY_MS = 20;

/**
 * Asks what listens on a Unix socket again and again.
 *
 * @param url - Of what answers with 200 once it is ready.
 * @throws What `late` makes, after `deadlineMs`.
 */
export async function untilReady(
  socketPath: string,
  url: string,
  deadlineMs: number,
  late: () => Error,
): Promise<void> {
  const dispatcher = new Agent({ connect: { socketPath } });
  const deadline = performance.now() + deadlineMs;
  try {
    while (performance.now() < deadline) {
      const status = await request(url, { dispatcher }).then(
        async ({ statusCode, body }) => (await body.dump(), statusCode),
        () => 0,
      );
      if (status === 200) return;
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await dispatcher.close();
  }
  throw late();
}
