import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { CreatedHierarchy } from '../../operator/ca/private-ca.ts';
import { freePort } from '../free-port.ts';
import { issueDirectly } from '../../operator/ca/probe-certificates.ts';
import type { Processes } from '../processes.ts';
import {
  DATABASE,
  makeDataDirectory,
  prepareDatabase,
  serverArguments,
  writeServerCertificate,
  type DatabaseUser,
} from './database-server.ts';
import { DATABASE_USERS } from '../../sample-apps/order-history/users.ts';
import { findMysqlServer } from './find-server.ts';

export interface LocalDatabasePlan {
  readonly processes: Processes;
  /** Of the run. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly acmPca: ACMPCAClient;
  /** Whom the server proves itself under: not the mesh, as with RDS. */
  readonly authority: CreatedHierarchy;
}

/** What each app is told of the database, by the name of its node. */
export type DatabaseEnvironments = Readonly<Record<string, Readonly<Record<string, string>>>>;

const HOST = 'localhost';
const CERTIFICATE_SECONDS = 7 * 86_400;
const PASSWORD_BYTES = 24;

/**
 * Starts a database server for the run, with the tables of the order history and a user for each app.
 *
 * @throws {TokenmeshError} `ERR_MYSQL_MISSING`, `ERR_MYSQL_NOT_STARTED`
 */
export async function startLocalDatabase(plan: LocalDatabasePlan): Promise<DatabaseEnvironments> {
  const server = await findMysqlServer(plan.environment);
  const directory = join(plan.directory, 'database');
  const issued = await issueDirectly(plan.acmPca, {
    authorityArn: plan.authority.subordinateArn,
    dnsName: HOST,
    validForSeconds: CERTIFICATE_SECONDS,
  });
  const files = await writeServerCertificate(directory, issued);
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, plan.authority.rootCertificate, { mode: 0o600 });
  const serverPlan = { server, directory, port: await freePort(), ...files };
  await makeDataDirectory(serverPlan);
  plan.processes.start({
    name: 'the database',
    command: process.execPath,
    arguments: [join(import.meta.dirname, 'main.ts'), server.binary, ...serverArguments(serverPlan)],
    environment: { PATH: plan.environment['PATH'] ?? '' },
  });
  const users = { order: userOf(DATABASE_USERS.order), paybill: userOf(DATABASE_USERS.paybill) };
  await prepareDatabase(serverPlan, users);
  const told = ({ name, password }: DatabaseUser): Record<string, string> => ({
    ORDER_STORE: 'mysql',
    ORDER_DB_HOST: HOST,
    ORDER_DB_PORT: String(serverPlan.port),
    ORDER_DB_NAME: DATABASE,
    ORDER_DB_USER: name,
    ORDER_DB_AUTH: 'password',
    ORDER_DB_PASSWORD: password,
    ORDER_DB_CA_FILE: caFile,
  });
  return { order: told(users.order), paybill: told(users.paybill) };
}

function userOf(name: string): DatabaseUser {
  return { name, password: randomBytes(PASSWORD_BYTES).toString('base64url') };
}
