import { pino } from 'pino';

/** What is kept of lines that cannot be written, in characters; those that come then are lost. */
const KEPT_AT_MOST = 1_048_576;

/**
 * Standard output of a service, which may be a file on a disk that is full: what cannot be written is kept, and
 * written with the next line that can be. A service goes on without its log.
 */
export const standardOutput = pino.destination({ fd: 1, sync: true, maxLength: KEPT_AT_MOST });

// Without anybody who hears it an error ends the process.
standardOutput.on('error', () => {});
