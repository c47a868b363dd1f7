import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { TokenmeshError } from '../../errors/error.ts';

/** A server of MySQL's protocol that is installed here. */
export interface MysqlServer {
  readonly binary: string;
  /** They are set up in different ways. */
  readonly kind: 'mariadb' | 'mysql';
}

/** Servers are often not where a user's programs are. */
const FURTHER_PLACES = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/opt/homebrew/bin',
  '/usr/local/bin',
];

/** @throws {TokenmeshError} `ERR_MYSQL_MISSING`; a server of one's own is named in `MYSQLD`. */
export async function findMysqlServer(environment: NodeJS.ProcessEnv): Promise<MysqlServer> {
  const places = [...(environment['PATH'] ?? '').split(delimiter), ...FURTHER_PLACES];
  const given = environment['MYSQLD'] ?? '';
  const candidates =
    given === ''
      ? ['mariadbd', 'mysqld'].flatMap((name) => places.map((place) => join(place, name)))
      : [given];
  for (const binary of candidates) {
    const version = await versionOf(binary);
    if (version !== undefined) return { binary, kind: /mariadb/i.test(version) ? 'mariadb' : 'mysql' };
  }
  throw new TokenmeshError({
    code: 'ERR_MYSQL_MISSING',
    message: `no server of MySQL was found: expected mariadbd or mysqld, got none ${given === '' ? 'on PATH' : 'at MYSQLD'}`,
    remedy:
      'install one (on Debian and Ubuntu: apt-get install --no-install-recommends mariadb-server-core mariadb-client-core), or name its program in MYSQLD',
  });
}

async function versionOf(binary: string): Promise<string | undefined> {
  try {
    await access(binary, constants.X_OK);
    return (await promisify(execFile)(binary, ['--no-defaults', '--version'], { timeout: 10_000 })).stdout;
  } catch {
    return undefined;
  }
}
