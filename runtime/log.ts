import { pino, type Logger } from 'pino';
import { standardOutput } from './standard-output.ts';

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
  const options = {
    name: process,
    level: globalThis.process.env['TOKENMESH_LOG_LEVEL'] ?? 'info',
    formatters: { level: (level: string) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', 'value', 'passphrase', 'key', '*.token', '*.value', '*.passphrase', '*.key'],
      censor: '[redacted]',
    },
  };
  return pino(options, standardOutput);
}
