/**
 * DynamoDB Local, in memory: fetched once by Maven into the project's own folder, held to the checksums
 * beside this file, run by Java. It has terms of its own (the AWS customer agreement, no redistribution).
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { request } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';
import { freePort } from '../../local/free-port.ts';
import type { Group } from '../mesh/workplace.ts';

const run = promisify(execFile);

const HERE = import.meta.dirname;
const FOLDER = join(HERE, '..', '..', '.tokenmesh', 'dynamodb-local');
const FETCH_DEADLINE_MS = 300_000;
const READY_DEADLINE_MS = 30_000;

export interface FetchOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * @returns The folder of its jars.
 * @throws {TokenmeshError} `ERR_BENCH_DYNAMODB_LOCAL` where Java or Maven is not there, what they fetched is
 *   not what is expected, or nothing could be fetched.
 */
export async function fetchDynamodbLocal({ say, signal }: FetchOptions): Promise<string> {
  for (const tool of ['java', 'mvn']) {
    await run(tool, ['-version'], { signal }).catch((error: unknown) => {
      throw notToBeHad(
        `${tool} does not run here`,
        `install ${tool === 'java' ? 'Java 17' : 'Maven'}`,
        error,
      );
    });
  }
  if (existsSync(FOLDER)) return FOLDER;
  say('fetching DynamoDB Local (50 MB, once)');
  const fetched = `${FOLDER}.${process.pid}`;
  try {
    mkdirSync(fetched, { recursive: true });
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${fetched}`];
    const options = { signal, timeout: FETCH_DEADLINE_MS };
    await run('mvn', ['--batch-mode', '--quiet', '--file', join(HERE, 'pom.xml'), ...goal], options);
    requireChecksums(fetched);
    renameSync(fetched, FOLDER);
  } catch (error) {
    if (error instanceof TokenmeshError) throw error;
    throw notToBeHad('Maven could not fetch it', 'see that Maven reaches its repository', error);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  return FOLDER;
}

/** @returns Where it answers. */
export async function startDynamodbLocal({ processes }: Group, folder: string): Promise<string> {
  const port = await freePort();
  processes.start({
    name: 'DynamoDB Local',
    command: 'java',
    arguments: [
      '-Xmx1g',
      `-Djava.library.path=${folder}`,
      '-cp',
      join(folder, '*'),
      'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    environment: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
  });
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + READY_DEADLINE_MS;
  while (performance.now() < deadline) {
    if (await answers(url)) return url;
    await sleep(100);
  }
  throw notToBeHad('it was started and does not answer', 'read its log in the folder that the bench names');
}

async function answers(url: string): Promise<boolean> {
  try {
    const { body } = await request(url);
    await body.dump();
    return true;
  } catch {
    return false;
  }
}

/** Each file of the list, and no other. */
function requireChecksums(folder: string): void {
  const wanted = readFileSync(join(HERE, 'checksums.txt'), 'utf8').trim().split('\n');
  for (const line of wanted) {
    const [expected, name = ''] = line.split(/\s+/);
    const found = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    if (found !== expected) {
      throw notToBeHad(
        `${name} is not the file that is expected`,
        'do not run it; see where Maven had it from',
      );
    }
  }
}

function notToBeHad(what: string, remedy: string, cause?: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_BENCH_DYNAMODB_LOCAL',
    message: `DynamoDB Local is not to be had: ${what}: expected Java 17 and Maven, and its jars from Maven Central`,
    remedy: `${remedy}, or give a DynamoDB of your own (--dynamodb-url)`,
    cause,
  });
}
