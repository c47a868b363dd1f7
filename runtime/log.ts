import { pino, type Logger, type LoggerOptions } from 'pino';

export type { Logger };

/**
 * The logger of a handler that a person's command runs in process: silent unless asked, since the
 * command's own report tells what happened.
 */
export function createQuietLogger(process: string): Logger {
  const logger = createLogger(process);
  logger.level = globalThis.process.env['TOKENMESH_LOG_LEVEL'] ?? 'silent';
  return logger;
}

/** The kind of an error, and not its text, which may quote what was sent. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/**
 * The logger of one process: JSON lines on standard output, with the name of the process on each.
 *
 * Texts are constant and facts are fields. No request body, URL or token may be a field: a route is
 * named by its template.
 */
export function createLogger(process: string): Logger {
  return pino(optionsOf(process));
}

/**
 * The same for a process with thousands of lines a second: they are written some at a time, a fifth of a
 * second later at most. What is fatal is written at once, and so is all that waits when the process ends by
 * itself; a process that is killed loses what waits.
 */
export function createBufferedLogger(process: string): Logger {
  const lines = pino.destination({ sync: false, minLength: BUFFER_BYTES, periodicFlush: BUFFER_MS });
  return pino(optionsOf(process), lines);
}

const BUFFER_BYTES = 8_192;
const BUFFER_MS = 200;

function optionsOf(process: string): LoggerOptions {
  return {
    name: process,
    level: globalThis.process.env['TOKENMESH_LOG_LEVEL'] ?? 'info',
    formatters: { level: (level) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', 'value', 'passphrase', 'key', '*.token', '*.value', '*.passphrase', '*.key'],
      censor: '[redacted]',
    },
  };
}
