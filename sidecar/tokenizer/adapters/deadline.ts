/** Says that the time was up; adapters turn it into an error of the vault. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError';
}

/**
 * Runs `call`, and stops waiting for it after `deadlineMs`.
 *
 * @param call - Its signal is aborted when the time is up, for those that can stop.
 * @throws {DeadlineExceededError}
 */
export async function withDeadline<Result>(
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const { promise: timeUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new DeadlineExceededError(`no answer within ${deadlineMs} ms`);
    reject(error);
    controller.abort(error);
  }, deadlineMs);
  try {
    return await Promise.race([call(controller.signal), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The same, with every failure told as one outage: whatever AWS refuses for (throttled, absent, not
 * permitted) is to the caller as if nothing had answered.
 *
 * @throws An `Outage`, whose cause is the failure.
 */
export async function answeredWithin<Result>(
  deadlineMs: number,
  Outage: new (cause: unknown) => Error,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  try {
    return await withDeadline(deadlineMs, call);
  } catch (error) {
    throw new Outage(error);
  }
}
