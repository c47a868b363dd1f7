import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { callAws, isAwsError } from '../../cert-exporter/adapters/aws-failure.ts';
import { TokenmeshError } from '../../errors/error.ts';
import type { Hierarchy } from '../../mesh/definition.ts';
import { ROLLOVER_STEPS, type Rollover, type RolloverRecords } from './ports.ts';

export function rolloverSecretName(meshName: string, hierarchy: Hierarchy): string {
  return `${meshName}/rollover/${hierarchy}`;
}

/**
 * The record in Secrets Manager: one secret for each hierarchy.
 *
 * Every revision is written under a version id that follows from its number. Secrets Manager refuses
 * another value under an id that is taken, so of two operators who write one revision, one goes on.
 *
 * Needs `secretsmanager:GetSecretValue`, `PutSecretValue` and `CreateSecret` on the two secrets.
 */
export function secretRecords(client: SecretsManagerClient, meshName: string): RolloverRecords {
  return {
    async read(hierarchy) {
      const secretName = rolloverSecretName(meshName, hierarchy);
      const call = { action: 'secretsmanager:GetSecretValue', resource: secretName };
      const text = await callAws(call, async () => {
        try {
          return (await client.send(new GetSecretValueCommand({ SecretId: secretName }))).SecretString;
        } catch (error) {
          if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
          throw error;
        }
      });
      return text === undefined ? undefined : parse(secretName, text);
    },
    async write(rollover) {
      const secretName = rolloverSecretName(meshName, rollover.hierarchy);
      const version = {
        SecretString: JSON.stringify(rollover),
        ClientRequestToken: revisionId(secretName, rollover.revision),
      };
      const call = { action: 'secretsmanager:PutSecretValue', resource: secretName };
      await callAws(call, async () => {
        try {
          await client.send(new PutSecretValueCommand({ SecretId: secretName, ...version }));
        } catch (error) {
          if (isAwsError(error, 'ResourceNotFoundException'))
            return await create(client, rollover, secretName);
          throw isAwsError(error, 'ResourceExistsException') ? elsewhere(rollover) : error;
        }
      });
    },
  };
}

async function create(client: SecretsManagerClient, rollover: Rollover, secretName: string): Promise<void> {
  try {
    await client.send(
      new CreateSecretCommand({
        Name: secretName,
        Description: 'How far the rollover of a CA is. Nothing secret.',
        SecretString: JSON.stringify(rollover),
        ClientRequestToken: revisionId(secretName, rollover.revision),
      }),
    );
  } catch (error) {
    throw isAwsError(error, 'ResourceExistsException') ? elsewhere(rollover) : error;
  }
}

/** A UUID, as Secrets Manager wants its version ids. */
function revisionId(secretName: string, revision: number): string {
  const hex = createHash('sha256').update(`${secretName}\n${revision}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}

function parse(secretName: string, text: string): Rollover {
  const found = parseObject(text);
  if (ROLLOVER_STEPS.some((step) => step === found?.step) && found?.from !== undefined)
    return found as Rollover;
  throw new TokenmeshError({
    code: 'ERR_ROLLOVER_RECORD',
    message: `secret "${secretName}" is not usable: expected the record of a rollover, got something else`,
    remedy: 'restore its last version but one in Secrets Manager, or delete it and start the rollover again',
  });
}

function parseObject(text: string): Partial<Rollover> | undefined {
  try {
    return JSON.parse(text) as Partial<Rollover>;
  } catch {
    return undefined;
  }
}

function elsewhere({ hierarchy, step }: Rollover): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ROLLOVER_ELSEWHERE',
    message: `the rollover of ${hierarchy} is being done by somebody else too: expected to write step "${step}", got a record that has moved on`,
    remedy: 'let the other one finish, or run the command again to see how far it is',
  });
}
