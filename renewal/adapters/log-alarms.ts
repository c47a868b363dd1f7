import type { Logger } from '../../runtime/log.ts';
import type { Alarm, Alarms } from '../ports.ts';

/** Raises an alarm as a line of the log, at level error, which a metric filter on `alarm` finds. */
export class LogAlarms implements Alarms {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  async raise({ certificateArn, owner, sentence, remedy, facts }: Alarm): Promise<void> {
    this.#logger.error(
      { alarm: sentence, certificateArn, ...owner, remedy, facts },
      'a certificate needs a person',
    );
  }
}
