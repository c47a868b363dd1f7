import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import Postgrator from 'postgrator';
import { TokenmeshError } from '../../errors/error.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations', '*.sql');

const LOCK = 'tokenmesh-order-history';
const LOCK_SECONDS = 30;

/**
 * Brings the tables of the order history to what this version of the apps reads and writes.
 *
 * Safe to run by several at once, and again: what has been done is not done again. A migration that was changed
 * after it was done is refused. Needs ALL on the database, which neither app has.
 *
 * @returns The names of those that were done now.
 * @throws {TokenmeshError} `ERR_MIGRATION_FAILED`; those before it are done.
 */
export async function migrateOrderHistory(connection: Connection, database: string): Promise<string[]> {
  await takeLock(connection);
  try {
    const postgrator = new Postgrator({
      driver: 'mysql',
      database,
      migrationPattern: MIGRATIONS,
      schemaTable: 'order_history_migrations',
      execQuery: async (query) => ({ rows: (await connection.query<RowDataPacket[]>(query))[0] }),
    });
    return (await postgrator.migrate()).map(({ name, version }) => `${version} ${name}`);
  } catch (cause) {
    throw migrationFailed(cause instanceof Error ? cause.message : 'an unknown failure', cause);
  } finally {
    await connection.query('SELECT RELEASE_LOCK(?)', [LOCK]).catch(() => undefined);
  }
}

/** The connection's own: it goes with it. */
async function takeLock(connection: Connection): Promise<void> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [
    LOCK,
    LOCK_SECONDS,
  ]);
  if (Number(row?.['taken']) !== 1)
    throw migrationFailed(`another migration that went on for ${LOCK_SECONDS} s`);
}

/** @param got - A code, or what the server says of a migration: no value is in one. */
export function migrationFailed(got: string, cause?: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_MIGRATION_FAILED',
    message: `the tables of the order history were not made: expected every migration to be done, got ${got}`,
    remedy: 'mend what it names, then run it again: it goes on where it stopped',
    cause,
  });
}
