import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { TokenmeshError } from '../../errors/error.ts';
import { parseCertificateSecret, type CertificateSecret } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import type { SecretStore } from '../ports.ts';
import { callAws, isAwsError } from './aws-failure.ts';

/** ACM takes any ASCII character but these three in a passphrase. */
const REFUSED_BY_ACM = '#$%';

/** Quotes, backslashes and spaces do no harm in themselves: they trip whoever pastes a passphrase into a shell. */
const EXCLUDED_CHARACTERS = `${REFUSED_BY_ACM}"'\`\\ `;

const PASSPHRASE_LENGTH = 64;

/**
 * Secrets in Secrets Manager.
 *
 * Needs `secretsmanager:GetRandomPassword`, and on the mesh's secrets `CreateSecret`, `PutSecretValue`
 * and `DescribeSecret`; `GetSecretValue` on the certificates' secrets alone: nothing here reads a passphrase.
 */
export class SecretsManagerStore implements SecretStore {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async currentCertificate(secretName: string): Promise<CertificateSecret | undefined> {
    const text = await this.#read(secretName);
    if (text === undefined) return undefined;
    try {
      return parseCertificateSecret(secretName, text);
    } catch {
      return undefined;
    }
  }

  async hasVersion(secretName: string, versionId: string): Promise<boolean> {
    const call = { action: 'secretsmanager:DescribeSecret', resource: secretName };
    const labels = await callAws(call, async () => {
      try {
        const answer = await this.#client.send(new DescribeSecretCommand({ SecretId: secretName }));
        return answer.VersionIdsToStages?.[versionId] ?? [];
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return [];
        throw error;
      }
    });
    return labels.length > 0;
  }

  async generatePassphrase(): Promise<Sensitive<string>> {
    const call = {
      action: 'secretsmanager:GetRandomPassword',
      resource: 'a passphrase',
      carriesSecret: true,
    };
    const { RandomPassword: passphrase } = await callAws(call, () =>
      this.#client.send(
        new GetRandomPasswordCommand({
          PasswordLength: PASSPHRASE_LENGTH,
          ExcludeCharacters: EXCLUDED_CHARACTERS,
          RequireEachIncludedType: true,
        }),
      ),
    );
    if (passphrase?.length !== PASSPHRASE_LENGTH) throw unusablePassphrase(passphrase?.length ?? 0);
    return new Sensitive(passphrase);
  }

  async publishPassphrase(secretName: string, passphrase: Sensitive<string>): Promise<string> {
    return this.#publish(
      secretName,
      passphrase.reveal(),
      'Opens the private key of the certificate beside it.',
    );
  }

  async publishCertificate(secretName: string, secret: CertificateSecret): Promise<void> {
    await this.#publish(secretName, JSON.stringify(secret), 'Certificate, chain and encrypted private key.');
  }

  async #read(secretName: string): Promise<string | undefined> {
    return callAws({ action: 'secretsmanager:GetSecretValue', resource: secretName }, async () => {
      try {
        return (await this.#client.send(new GetSecretValueCommand({ SecretId: secretName }))).SecretString;
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    });
  }

  /** A new version of the secret, which is created first when it is absent. */
  async #publish(secretName: string, value: string, description: string): Promise<string> {
    const versionId =
      (await this.#put(secretName, value)) ?? (await this.#create(secretName, value, description));
    if (versionId === undefined) throw versionWithoutId(secretName);
    return versionId;
  }

  /** Resolves to undefined when there is no such secret. */
  async #put(secretName: string, value: string): Promise<string | undefined> {
    const call = { action: 'secretsmanager:PutSecretValue', resource: secretName, carriesSecret: true };
    return callAws(call, async () => {
      try {
        const command = new PutSecretValueCommand({ SecretId: secretName, SecretString: value });
        return (await this.#client.send(command)).VersionId;
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    });
  }

  /** When another run created it in the meantime, the value becomes a version of that one. */
  async #create(secretName: string, value: string, description: string): Promise<string | undefined> {
    const call = { action: 'secretsmanager:CreateSecret', resource: secretName, carriesSecret: true };
    return callAws(call, async () => {
      try {
        const command = new CreateSecretCommand({
          Name: secretName,
          SecretString: value,
          Description: description,
        });
        return (await this.#client.send(command)).VersionId;
      } catch (error) {
        if (isAwsError(error, 'ResourceExistsException')) return this.#put(secretName, value);
        throw error;
      }
    });
  }
}

function unusablePassphrase(length: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PASSPHRASE_UNUSABLE',
    message: `secretsmanager:GetRandomPassword gave another length: expected ${PASSPHRASE_LENGTH} characters, got ${length}`,
    remedy: 'try again; if it goes on, check what answers at AWS_ENDPOINT_URL',
  });
}

function versionWithoutId(secretName: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_SECRET_NOT_PUBLISHED',
    message: `secret "${secretName}" may not be published: expected the id of a new version, got none`,
    remedy: 'export the certificate again: npm run mesh -- rotate <node>',
  });
}
