/** Asked for once, and again only where it could not be had. */
export function onceHad<Had>(get: () => Promise<Had>): () => Promise<Had> {
  let had: Promise<Had> | undefined;
  return async () => {
    had ??= get();
    try {
      return await had;
    } catch (error) {
      had = undefined;
      throw error;
    }
  };
}
