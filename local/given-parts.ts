/**
 * What the user may give in place of our own: an Envoy, an emulated AWS, the material of the vault's key.
 * Each is tried before anything is built on it.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { TokenmeshError } from '../errors/error.ts';
import type { AwsClients } from '../operator/aws-clients.ts';
import { Sensitive } from '../pki/sensitive.ts';
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

/** @throws {TokenmeshError} `ERR_KEY_MATERIAL_FILE` */
export function givenMaterial(
  environment: Readonly<Record<string, string | undefined>>,
): Sensitive<Uint8Array> | undefined {
  const file = environment['TOKENMESH_KEY_MATERIAL'] ?? '';
  if (file === '') return undefined;
  try {
    return new Sensitive<Uint8Array>(readFileSync(file));
  } catch (cause) {
    throw new TokenmeshError({
      code: 'ERR_KEY_MATERIAL_FILE',
      message: `TOKENMESH_KEY_MATERIAL names no file that can be read: expected one of key material, got ${(cause as NodeJS.ErrnoException).code ?? 'an error'}`,
      remedy: 'make one (openssl rand -out material.bin 32), or unset the variable for a key that KMS makes',
      cause,
    });
  }
}
