/**
 * What the user may give in place of our own: an Envoy, and an emulated AWS. Each is tried before
 * anything is built on it.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { TokenmeshError } from '../errors/error.ts';
import type { AwsClients } from '../operator/aws-clients.ts';
import { TABLES } from './aws/resources.ts';

/** @throws {TokenmeshError} `ERR_ENVOY_UNUSABLE` */
export async function requireEnvoy(binary: string): Promise<void> {
  const version = await promisify(execFile)(binary, ['--version'], { timeout: 10_000 }).then(
    ({ stdout }) => stdout.trim(),
    (cause: unknown) => (cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)),
  );
  if (/version: \w+\/\d+\.\d+/.test(version)) return;
  throw new TokenmeshError({
    code: 'ERR_ENVOY_UNUSABLE',
    message: `${binary} is not an Envoy that runs here: expected its version, got ${JSON.stringify(version.slice(0, 200))}`,
    remedy:
      'set ENVOY_BIN to an Envoy of version 1.40 or later, or unset it for the one that is installed here',
  });
}

/**
 * @param setting - Where the user gave it.
 * @throws {TokenmeshError} `ERR_AWS_UNREACHABLE`, `ERR_AWS_NOT_EMPTY`
 */
export async function requireEmptyAccount(
  aws: Pick<AwsClients, 'dynamodb'>,
  endpointUrl: string,
  setting = 'AWS_ENDPOINT_URL',
): Promise<void> {
  const found = await aws.dynamodb.send(new ListTablesCommand({})).catch((cause: unknown) => {
    throw new TokenmeshError({
      code: 'ERR_AWS_UNREACHABLE',
      message: `${setting} ${endpointUrl} does not answer as an emulated AWS: got ${cause instanceof Error ? cause.name : 'an error'}`,
      remedy: `start the emulator there first, or leave ${setting} out for one of our own`,
      cause,
    });
  });
  const ours = (found.TableNames ?? []).filter((name) => Object.values<string>(TABLES).includes(name));
  if (ours.length === 0) return;
  throw new TokenmeshError({
    code: 'ERR_AWS_NOT_EMPTY',
    message: `the AWS at ${endpointUrl} has resources of a run already: expected none, got the tables ${ours.join(', ')}`,
    remedy: 'start the emulator there anew: a local run begins with an empty account',
  });
}
