/** How long each part of the bench goes on. */
export interface Plan {
  /** At {@link MAIN_CONNECTIONS}: what the figures are made of. */
  readonly main: { readonly rounds: number; readonly seconds: number; readonly warmSeconds: number };
  /** At the other numbers of connections. */
  readonly side: { readonly rounds: number; readonly seconds: number; readonly warmSeconds: number };
  readonly memoryTokens: number;
  /** The tokens of the memory's part that are not made by then are left out, and the report says so. */
  readonly memorySeconds: number;
  readonly refreshSeconds: number;
  readonly sealOpenRoundMs: number;
}

export const MAIN_CONNECTIONS = 32;
export const SIDE_CONNECTIONS = [1, 256] as const;

/** A batch of the usual pattern is a hundred calls to KMS: with more of them under way, all would only wait. */
export const USUAL_BATCH_CONNECTIONS = 4;

/** The shortest life of a branch key that the tokenizer takes. */
export const KEY_SECONDS = 5;

const STANDARD: Plan = {
  main: { rounds: 5, seconds: 1.2, warmSeconds: 2 },
  side: { rounds: 2, seconds: 1.5, warmSeconds: 0.3 },
  memoryTokens: 1_000_000,
  memorySeconds: 110,
  refreshSeconds: 40,
  sealOpenRoundMs: 300,
};

const QUICK: Plan = {
  main: { rounds: 2, seconds: 0.6, warmSeconds: 0.5 },
  side: { rounds: 1, seconds: 0.5, warmSeconds: 0.1 },
  memoryTokens: 50_000,
  memorySeconds: 10,
  refreshSeconds: 16,
  sealOpenRoundMs: 60,
};

/** @param seconds - Of a round, in place of the plan's. */
export function planFor(isQuick: boolean, seconds?: number): Plan {
  const plan = isQuick ? QUICK : STANDARD;
  if (seconds === undefined) return plan;
  const shortened = { seconds, warmSeconds: Math.min(seconds, plan.main.warmSeconds) };
  return { ...plan, main: { ...plan.main, ...shortened }, side: { ...plan.side, ...shortened } };
}
