/** Has what several ask for at one time done once. */
export class SingleFlight<Result> {
  readonly #underWay = new Map<string, Promise<Result>>();

  join(name: string, run: () => Promise<Result>): Promise<Result> {
    const joined = this.#underWay.get(name);
    if (joined !== undefined) return joined;
    const started = run().finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, started);
    return started;
  }
}
