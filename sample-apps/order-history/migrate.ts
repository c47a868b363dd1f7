/** Makes the tables of the order history: run once before a new version of the apps, by whoever owns the database. */

import { describeError } from '../../errors/error.ts';
import { Settings } from '../environment.ts';
import { codeOf, openDatabase } from './database.ts';
import { migrateOrderHistory, migrationFailed } from './migrations.ts';
import { readDatabase, withCa } from './settings.ts';

try {
  const settings = new Settings(process.env);
  const read = readDatabase(settings);
  settings.check();
  const pool = openDatabase(withCa(read));
  try {
    const connection = await pool.getConnection().catch((cause: unknown) => {
      throw migrationFailed(codeOf(cause) ?? 'no connection', cause);
    });
    const done = await migrateOrderHistory(connection, read.database);
    connection.release();
    const lines = done.length === 0 ? ['nothing to do'] : done.map((name) => `done: ${name}`);
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await pool.end();
  }
} catch (error) {
  process.stderr.write(`migrate: ${describeError(error)}\n`);
  process.exitCode = 1;
}
