import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { TokenmeshError, type ErrorCode } from '../../errors/error.ts';

const ATTEMPTS = 5;

/** A secret that several may change. */
export interface SharedSecret<Value> {
  readonly name: string;
  /** @throws {TokenmeshError} where the text is not of the right shape. */
  readonly parse: (secretName: string, text: string) => Value;
  /** Of the error when every attempt was overtaken. */
  readonly notWritten: ErrorCode;
}

export async function readSharedSecret<Value>(
  client: SecretsManagerClient,
  { name, parse }: SharedSecret<Value>,
): Promise<Value> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
  return parse(name, SecretString);
}

/**
 * Changes a secret that others change too. Secrets Manager has no conditional write, so the value is read
 * again afterwards: where another writer came in between, the change is made once more, on top of theirs.
 *
 * Needs `secretsmanager:GetSecretValue` and `secretsmanager:PutSecretValue` on it.
 *
 * @param isIn - Whether a value holds the change.
 * @throws {TokenmeshError} with the code of `notWritten`, or of `parse`
 */
export async function changeSharedSecret<Value>(
  client: SecretsManagerClient,
  secret: SharedSecret<Value>,
  change: (value: Value) => Value,
  isIn: (value: Value) => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const SecretString = JSON.stringify(change(await readSharedSecret(client, secret)));
    await client.send(new PutSecretValueCommand({ SecretId: secret.name, SecretString }));
    if (isIn(await readSharedSecret(client, secret))) return;
  }
  throw new TokenmeshError({
    code: secret.notWritten,
    message: `secret "${secret.name}" does not hold the change: expected it after ${ATTEMPTS} attempts, got what another writer wrote each time`,
    remedy: 'see who else writes it, then run the command again: it may be repeated',
  });
}
