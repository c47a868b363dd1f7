/**
 * AWS refuses a signature that is more than some minutes away from its own time, so that a host whose clock went wrong
 * could reach nothing. What the SDK's clients do about it, for calls that go without them: the difference is taken from
 * the refusal, and the next signature is dated by it.
 *
 * @module
 */

/** Part of an SDK client's configuration, which the client itself signs by and corrects. */
export interface DatedConfig {
  /** From the clock of this host to that of AWS, in milliseconds. */
  systemClockOffset: number;
}

/** As the SDK has it: below the five minutes at which the first services refuse. */
const NOTICED_FROM_MS = 240_000;

export function signingDate({ systemClockOffset }: DatedConfig): Date {
  return new Date(Date.now() + systemClockOffset);
}

/**
 * @param signed - The date of the signature that was refused.
 * @param date - The header of that name in the refusal.
 * @returns Whether the same call has another date from now on, so that it may succeed.
 */
export function correctClock(
  config: DatedConfig,
  signed: Date,
  date: string | string[] | undefined,
): boolean {
  const theirs = Date.parse(typeof date === 'string' ? date : '');
  // A date that cannot be read is NaN, and no comparison with it holds.
  if (!(Math.abs(theirs - signed.getTime()) >= NOTICED_FROM_MS)) return false;
  config.systemClockOffset = theirs - Date.now();
  return true;
}
