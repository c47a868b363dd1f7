import type { HoneyTokens } from '../core/audit/honey.ts';

/** So long may it take until a task knows of a token that was planted. */
export const HONEY_KNOWN_WITHIN_MS = 5_000;

export interface HoneyWatch extends Pick<HoneyTokens, 'has'> {
  /** Reads the references again. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * Holds the references of honey tokens in memory, so that no request waits for them and none takes
 * longer for a honey token than for another.
 *
 * Where they cannot be read it goes on with those that it has: no request fails for it.
 */
export function watchHoneyTokens(
  list: () => Promise<readonly string[]>,
  onFault: (error: unknown) => void,
): HoneyWatch {
  let references: ReadonlySet<string> = new Set();
  let underWay: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    try {
      references = new Set(await list());
    } catch (error) {
      onFault(error);
    }
  };
  const refresh = async (): Promise<void> => {
    underWay ??= read().finally(() => (underWay = undefined));
    await underWay;
  };
  const timer = setInterval(() => void refresh(), HONEY_KNOWN_WITHIN_MS / 2).unref();
  return { has: (reference) => references.has(reference), refresh, close: () => clearInterval(timer) };
}
