import { request } from 'node:http';

/** Less than what a container's own health check allows. */
const ANSWER_DEADLINE_MS = 4_000;

/**
 * Asks a process on its Unix socket how it is. Nothing but Node's own HTTP is loaded: this runs every few
 * seconds, in a process of its own, on a fraction of a CPU.
 *
 * @returns Undefined where it answers 200, else what was found in place of that. Never rejects.
 */
export async function whyUnhealthy(socketPath: string, path: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const asking = request({ socketPath, path, timeout: ANSWER_DEADLINE_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 ? undefined : `${path} answered ${answer.statusCode}`);
    });
    asking.once('timeout', () => {
      resolve(`${path} did not answer within ${ANSWER_DEADLINE_MS} ms`);
      asking.destroy();
    });
    asking.once('error', (error: NodeJS.ErrnoException) =>
      resolve(`${path} could not be asked (${error.code ?? error.name})`),
    );
    asking.end();
  });
}

/** Ends this process as a health check of a container does: 0 for healthy, 1 with one line that says why not. */
export async function endWithHealth(name: string, socketPath: string, path: string): Promise<void> {
  const problem = await whyUnhealthy(socketPath, path);
  if (problem === undefined) return;
  process.stderr.write(`${name} is not healthy: expected 200 on its socket, but ${problem}; see its log\n`);
  process.exitCode = 1;
}
