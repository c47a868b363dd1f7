/**
 * The policies of the KMS keys: those who administer, those who use, and for what.
 *
 * The account may administer every key, so that none is ever left without an administrator; it may not use
 * the vault's. Of the keys that AWS services use for their own stores, the account may use each through that
 * service alone, where IAM permits it too.
 *
 * @module
 */

import type { Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  Effect,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
  type Conditions,
  type IPrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  BRANCH_KEYS_ALONE,
  FINGERPRINT_KEYS_ALONE,
  MARKS_ALONE,
  TABLE_KEY_ACTIONS,
  viaService,
} from '../access/node-rights.ts';
import { PARTS_ALONE, WRAPPING_ACTIONS } from '../access/function-rights.ts';
import { ADMINISTERING_ACTIONS } from '../access/operator-rights.ts';

/** Who is named in key policies. */
export interface KeyUsers {
  readonly administrator: IPrincipal;
  readonly tokenizer: IPrincipal;
  /** Make branch keys, and can open none. */
  readonly makers: readonly IPrincipal[];
  readonly auditor: IPrincipal;
  /** The function that tokenizes in bulk, and who sends to it. */
  readonly bulk: IPrincipal;
  readonly loader: IPrincipal;
}

export function vaultKeyPolicy(users: KeyUsers): PolicyDocument {
  const { tokenizer, makers } = users;
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant('TokenizerOpensBranchKeys', [tokenizer], ['kms:Decrypt'], BRANCH_KEYS_ALONE),
      grant('TokenizerOpensFingerprintKeys', [tokenizer], ['kms:Decrypt'], FINGERPRINT_KEYS_ALONE),
      grant('MakersWrapBranchKeys', makers, WRAPPING_ACTIONS, BRANCH_KEYS_ALONE),
      grant(
        'MakersWrapFingerprintKeys',
        makers,
        ['kms:GenerateDataKeyWithoutPlaintext'],
        FINGERPRINT_KEYS_ALONE,
      ),
    ],
  });
}

export function auditKeyPolicy(users: KeyUsers): PolicyDocument {
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant('TokenizerSeals', [users.tokenizer], ['kms:GenerateMac']),
      grant('AuditorVerifies', [users.auditor], ['kms:GenerateMac', 'kms:VerifyMac']),
    ],
  });
}

/** Senders seal and the function opens; queues and results are sealed for them by their services. */
export function bulkKeyPolicy(stack: Stack, users: KeyUsers): PolicyDocument {
  const { bulk, loader } = users;
  const through = (service: string): Conditions => viaService(stack, service);
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant('SendersSealParts', [loader], ['kms:GenerateDataKey'], PARTS_ALONE),
      grant('FunctionOpensParts', [bulk], ['kms:Decrypt'], PARTS_ALONE),
      grant('SendersUseQueues', [loader], ['kms:GenerateDataKey', 'kms:Decrypt'], through('sqs')),
      grant('FunctionReadsQueues', [bulk], ['kms:Decrypt'], through('sqs')),
      grant('FunctionWritesResults', [bulk], ['kms:GenerateDataKey', 'kms:Decrypt'], through('s3')),
      grant('SendersReadResults', [loader], ['kms:Decrypt'], through('s3')),
    ],
  });
}

/** The public half is nobody's secret: the account lets whoever builds the function at the edge have it. */
export function markKeyPolicy(users: KeyUsers): PolicyDocument {
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant('TokenizerOpensMarks', [users.tokenizer], ['kms:Decrypt'], MARKS_ALONE),
    ],
  });
}

/** Of a key that services use for what they store: in the name of whoever calls one of them. */
export function storeKeyPolicy(stack: Stack, users: KeyUsers, ...services: string[]): PolicyDocument {
  const account = new AccountRootPrincipal();
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant('UseThroughTheService', [account], TABLE_KEY_ACTIONS, viaService(stack, ...services)),
      grant('LetTheServiceKeepUsing', [account], ['kms:CreateGrant'], {
        ...viaService(stack, ...services),
        Bool: { 'kms:GrantIsForAWSResource': 'true' },
      }),
    ],
  });
}

/**
 * Of a key of logs, alarms and queues, which services use by themselves.
 *
 * @param users - None where their roles are of another region than the key: then the account alone administers it.
 */
export function operationsKeyPolicy(stack: Stack, users?: KeyUsers): PolicyDocument {
  const ofThisAccount = { StringEquals: { 'aws:SourceAccount': stack.account } };
  return new PolicyDocument({
    statements: [
      ...administration(users),
      grant(
        'LogsAreSealed',
        [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey'],
        {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': `arn:${stack.partition}:logs:${stack.region}:${stack.account}:log-group:*`,
          },
        },
      ),
      grant(
        'EventsAndAlarmsAreSealed',
        ['events.amazonaws.com', 'cloudwatch.amazonaws.com', 'sns.amazonaws.com'].map(
          (name) => new ServicePrincipal(name),
        ),
        ['kms:Decrypt', 'kms:GenerateDataKey'],
        ofThisAccount,
      ),
      grant(
        'FunctionsSealWhatFailed',
        [new AccountRootPrincipal()],
        ['kms:Decrypt', 'kms:GenerateDataKey'],
        viaService(stack, 'sqs'),
      ),
    ],
  });
}

function administration(users?: KeyUsers): PolicyStatement[] {
  const administrators = users === undefined ? [] : [users.administrator];
  return [grant('Administer', [new AccountRootPrincipal(), ...administrators], ADMINISTERING_ACTIONS)];
}

function grant(
  sid: string,
  principals: readonly IPrincipal[],
  actions: readonly string[],
  conditions?: Conditions,
): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    principals: [...principals],
    actions: [...actions],
    // Of a key policy: this key.
    resources: ['*'],
    ...(conditions === undefined ? {} : { conditions }),
  });
}
