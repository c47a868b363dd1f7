/**
 * A server of MySQL for a local run: in a folder of its own, on a port of its own, over TLS alone.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection, type Connection } from 'mysql2/promise';
import { TokenmeshError } from '../../errors/error.ts';
import { migrateOrderHistory } from '../../sample-apps/order-history/migrations.ts';
import { userStatements } from '../../sample-apps/order-history/users.ts';
import type { MysqlServer } from './find-server.ts';

export interface ServerPlan {
  readonly server: MysqlServer;
  /** For its data and its socket, for the user alone. */
  readonly directory: string;
  readonly port: number;
  /** PEM files, for a certificate that names `localhost`. */
  readonly certificate: string;
  readonly key: string;
}

export const DATABASE = 'orders';

const START_DEADLINE_MS = 30_000;
const SOCKET_NAME = 'sql.sock';

/** Makes an empty server, which nobody listens to yet. @throws {TokenmeshError} `ERR_MYSQL_NOT_STARTED` */
export async function makeDataDirectory({ server, directory }: ServerPlan): Promise<void> {
  const data = join(directory, 'data');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const asked = ['--no-defaults', `--datadir=${data}`, `--user=${userInfo().username}`];
  try {
    if (server.kind === 'mysql') {
      await promisify(execFile)(server.binary, [...asked, '--initialize-insecure']);
      return;
    }
    await promisify(execFile)('mariadb-install-db', [
      ...asked,
      ...['--auth-root-authentication-method=normal', '--skip-test-db', '--innodb-log-file-size=8M'],
    ]);
  } catch (cause) {
    throw notStarted('its folder of data could not be made', cause);
  }
}

export function serverArguments(plan: ServerPlan): string[] {
  const { directory, port, certificate, key, server } = plan;
  return [
    '--no-defaults',
    `--user=${userInfo().username}`,
    `--datadir=${join(directory, 'data')}`,
    `--socket=${join(directory, SOCKET_NAME)}`,
    `--pid-file=${join(directory, 'pid')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--ssl-cert=${certificate}`,
    `--ssl-key=${key}`,
    '--tls-version=TLSv1.2,TLSv1.3',
    '--require-secure-transport=ON',
    '--skip-log-bin',
    '--innodb-buffer-pool-size=32M',
    '--performance-schema=OFF',
    ...(server.kind === 'mysql'
      ? ['--mysqlx=OFF', '--innodb-redo-log-capacity=8M']
      : ['--innodb-log-file-size=8M']),
  ];
}

/** A user of the database, with what it may do and nothing else. */
export interface DatabaseUser {
  readonly name: string;
  readonly password: string;
}

export interface DatabaseUsers {
  readonly order: DatabaseUser;
  readonly paybill: DatabaseUser;
}

/** Waits for the server, then makes database, tables and users. @throws {TokenmeshError} `ERR_MYSQL_NOT_STARTED` */
export async function prepareDatabase(plan: ServerPlan, users: DatabaseUsers): Promise<void> {
  const root = await connectAsRoot(join(plan.directory, SOCKET_NAME));
  try {
    await root.query(`CREATE DATABASE ${DATABASE}`);
    await root.query(`USE ${DATABASE}`);
    await migrateOrderHistory(root, DATABASE);
    const byPassword = (app: keyof DatabaseUsers): string => `BY '${users[app].password}'`;
    for (const statement of userStatements(DATABASE, byPassword)) await root.query(statement);
  } finally {
    await root.end();
  }
}

/** Only whoever owns the folder reaches the socket. */
async function connectAsRoot(socketPath: string): Promise<Connection> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      return await createConnection({ socketPath, user: 'root' });
    } catch (cause) {
      if (Date.now() > deadline)
        throw notStarted(`nobody answered within ${START_DEADLINE_MS / 1000} s`, cause);
      await sleep(50);
    }
  }
}

/** Writes what the server proves itself with. @returns The files. */
export async function writeServerCertificate(
  directory: string,
  pem: { readonly chain: string; readonly key: string },
): Promise<Pick<ServerPlan, 'certificate' | 'key'>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = { certificate: join(directory, 'server.pem'), key: join(directory, 'server-key.pem') };
  await writeFile(files.certificate, pem.chain, { mode: 0o600 });
  await writeFile(files.key, pem.key, { mode: 0o600 });
  return files;
}

function notStarted(what: string, cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_MYSQL_NOT_STARTED',
    message: `the server of MySQL did not start: ${what}`,
    remedy:
      'see the log of the database in the folder of the run, and that its program is whole: MYSQLD names another',
    cause,
  });
}
