import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'mysql2/promise';
import { freePort } from '../../local/free-port.ts';
import {
  DATABASE,
  makeDataDirectory,
  prepareDatabase,
  serverArguments,
  writeServerCertificate,
  type DatabaseUser,
} from '../../local/mysql/database-server.ts';
import { findMysqlServer, type MysqlServer } from '../../local/mysql/find-server.ts';
import { openDatabase } from '../../sample-apps/order-history/database.ts';
import type { DatabaseSettings } from '../../sample-apps/order-history/settings.ts';
import { issueCertificate, SERVER_AUTH } from './issue-certificate.ts';

const PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];

export const USERS = {
  order: { name: 'order_app', password: 'order-app-of-a-test' },
  paybill: { name: 'paybill_app', password: 'paybill-app-of-a-test' },
};

/** A real server with the tables of the order history, over TLS under a CA of the test's own. */
export interface DatabaseUnderTest {
  readonly pid: number;
  readonly socketPath: string;
  readonly ca: string;
  readonly caFile: string;
  settings(user: DatabaseUser, changes?: Partial<DatabaseSettings>): DatabaseSettings;
  open(user: DatabaseUser, changes?: Partial<DatabaseSettings>): Pool;
  stop(): Promise<void>;
}

/** The time jest has to give a `beforeAll` in which the server may be installed. */
export const DATABASE_DEADLINE_MS = 180_000;

/** @param provenName - What its certificate names: `localhost`, unless it is to be refused. */
export async function startDatabaseUnderTest(provenName = 'localhost'): Promise<DatabaseUnderTest> {
  const server = await findOrInstall();
  const directory = await mkdtemp(join(tmpdir(), 'tm-sql-'));
  const authority = await issueCertificate({ commonName: 'database root', isCa: true });
  const leaf = await issueCertificate({
    commonName: provenName,
    issuer: authority,
    dnsNames: [provenName],
    extendedKeyUsage: [SERVER_AUTH],
  });
  const files = await writeServerCertificate(directory, {
    chain: leaf.certificate,
    key: leaf.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
  const plan = { server, directory, port: await freePort(), ...files };
  await makeDataDirectory(plan);
  const child = spawn(server.binary, serverArguments(plan), { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await prepareDatabase(plan, USERS);
  } catch (error) {
    await stop();
    throw new Error(`the server said:\n${said.join('').slice(-2000)}`, { cause: error });
  }
  const ca = authority.certificate;
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, ca);
  const settings: DatabaseUnderTest['settings'] = ({ name, password }, changes) => ({
    ...{ host: 'localhost', port: plan.port, database: DATABASE, user: name, ca },
    auth: { kind: 'password', password },
    ...changes,
  });
  return {
    ...{ pid: child.pid ?? 0, socketPath: join(directory, 'sql.sock'), ca, caFile, settings, stop },
    open: (user, changes) => openDatabase(settings(user, changes)),
  };
}

async function findOrInstall(): Promise<MysqlServer> {
  try {
    return await findMysqlServer(process.env);
  } catch {
    const { installDebianPackages } = await import('./debian-packages.ts');
    await installDebianPackages(PACKAGES);
    return await findMysqlServer(process.env);
  }
}
