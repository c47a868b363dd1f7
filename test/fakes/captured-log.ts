import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Logger } from '../../runtime/log.ts';

export interface CapturedLog {
  readonly logger: Logger;
  /** Every line so far, as it would stand in the log. */
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
}

/** A logger that keeps what it is told, at every level and without redaction: nothing is hidden from a test. */
export function captureLog(): CapturedLog {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const text = (): string => chunks.join('');
  return {
    logger: pino({ level: 'trace' }, stream),
    text,
    lines: () =>
      text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
