import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createLogger, type Logger } from '../../runtime/log.ts';
import { Settings } from '../environment.ts';
import { codeOf, openDatabase } from './database.ts';
import { migrateOrderHistory, migrationFailed } from './migrations.ts';
import { readDatabase, withCa } from './settings.ts';
import { BY_IAM, userStatements, type OrderApp } from './users.ts';

export interface MigrationWiring {
  /** What the apps have too, but for the user. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the user that owns the database, as RDS keeps it: JSON with `username` and `password`. */
  readonly readOwner: () => Promise<string>;
  readonly identifiedBy: (app: OrderApp) => string;
  readonly logger: Logger;
}

/**
 * Brings the tables to what the apps want, and makes a user for each app: what the deployment waits for before it
 * starts them. May be run again.
 *
 * @throws {TokenmeshError} `ERR_MIGRATION_FAILED`, `ERR_SETTINGS_INVALID`; the deployment fails with it.
 */
export function createMigrationHandler(wiring: MigrationWiring): () => Promise<void> {
  return async () => {
    const { environment, readOwner, identifiedBy, logger } = wiring;
    const { username, password } = JSON.parse(await readOwner()) as { username: string; password: string };
    const owner = { ORDER_DB_USER: username, ORDER_DB_PASSWORD: password, ORDER_DB_AUTH: 'password' };
    const settings = new Settings({ ...environment, ...owner });
    const read = readDatabase(settings);
    settings.check();
    const pool = openDatabase(withCa(read));
    try {
      const connection = await pool.getConnection();
      const done = await migrateOrderHistory(connection, read.database);
      for (const statement of userStatements(read.database, identifiedBy)) await connection.query(statement);
      connection.release();
      logger.info({ done }, 'order history migrated');
    } catch (cause) {
      throw migrationFailed(codeOf(cause) ?? 'no connection', cause);
    } finally {
      await pool.end();
    }
  };
}

/** What AWS Lambda calls. Needs `secretsmanager:GetSecretValue` on the secret of the database's owner. */
export const handler = async (): Promise<void> => {
  const client = new SecretsManagerClient({ maxAttempts: 5 });
  await createMigrationHandler({
    environment: process.env,
    readOwner: async () => {
      const SecretId = process.env['ORDER_DB_OWNER_SECRET_ARN'] ?? '';
      return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '{}';
    },
    identifiedBy: () => BY_IAM,
    logger: createLogger('migrations'),
  })();
};
