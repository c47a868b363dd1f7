/**
 * Work that one task at a time does for all of them: sweeping, indexing anew.
 *
 * Nothing of it may be unsafe when two do it at once, since a task that was held up may believe for a
 * moment that it still is the one: the claim saves work, it is no lock.
 *
 * @module
 */

export interface JobStore {
  /**
   * Makes `holder` the one that does the job until `until`, unless another has it beyond `now`.
   *
   * @returns What was saved of the job last, by whoever had it; `'busy'` where another has it.
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   */
  claim(
    job: string,
    holder: string,
    now: Date,
    until: Date,
  ): Promise<{ readonly progress?: string } | 'busy'>;

  /**
   * Saves how far the job is, and holds it until `until`.
   *
   * @param progress - JSON; nothing of a value may be in it.
   * @returns `'lost'`, with nothing changed, where another has the job by now.
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   */
  save(job: string, holder: string, until: Date, progress: string): Promise<'saved' | 'lost'>;
}
