import type { Unseen } from '../checks/check.ts';
import type { CheckGroup } from '../checks/catalogue.ts';

/** Looks at one thing after the other; what cannot be looked at is kept, with the reason, and hides nothing else. */
export class Looking {
  readonly unseen: Unseen[] = [];

  /** @param subject - The beginning of the subjects that are hidden where `look` fails; all unless given. */
  async at<Facts>(
    group: CheckGroup,
    subject: string | undefined,
    look: () => Promise<Facts>,
  ): Promise<Facts | undefined> {
    try {
      return await look();
    } catch (error) {
      const reason = `could not be looked at: ${kindOf(error)}`;
      this.unseen.push({ group, reason, ...(subject === undefined ? {} : { subject }) });
      return undefined;
    }
  }

  /** The facts of those things that could be looked at, in order; all at once where nothing counts with another. */
  async atEach<Thing, Facts>(
    group: CheckGroup,
    things: readonly Thing[],
    subjectOf: (thing: Thing) => string,
    look: (thing: Thing) => Promise<Facts>,
    order: 'one-by-one' | 'at-once' = 'one-by-one',
  ): Promise<Facts[]> {
    const lookAt = async (thing: Thing): Promise<Facts | undefined> =>
      await this.at(group, subjectOf(thing), async () => await look(thing));
    const facts: (Facts | undefined)[] = [];
    if (order === 'at-once') facts.push(...(await Promise.all(things.map(lookAt))));
    else for (const thing of things) facts.push(await lookAt(thing));
    return facts.filter((each) => each !== undefined);
  }
}

/** Thrown by a collector where something that has to answer does not. */
export class SilentError extends Error {
  /** @param who - Who did not answer. */
  constructor(who: string) {
    super(`${who} does not answer`);
    this.name = 'SilentError';
  }
}

/** The kind alone: the text of an error may quote what it was asked with. */
function kindOf(error: unknown): string {
  if (error instanceof SilentError) return error.message;
  if (!(error instanceof Error)) return typeof error;
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
