/** How many items of a batch are sealed or opened at a time: enough to be worth handing to a thread together. */
export const BATCH_WIDTH = 128;

/**
 * Maps `items` with at most `width` calls under way, keeping their order.
 *
 * @throws What the first failing call threw; no further call is then started.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  run: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = Array.from<Result>({ length: items.length });
  const waiting = items.entries();
  let isFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (isFailed) return;
      results[index] = await run(item, index).catch((error: unknown) => {
        isFailed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
  return results;
}
