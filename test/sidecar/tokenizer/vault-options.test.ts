import { describe, expect, it } from '@jest/globals';
import { createAwsClients } from '../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { openVault } from '../../../sidecar/tokenizer/open-vault.ts';
import {
  checkAuditOptions,
  checkOptions,
  type VaultOptions,
} from '../../../sidecar/tokenizer/vault-options.ts';

const callers: VaultOptions['callers'] = {
  orders: { tenants: ['shop'], grants: [{ operation: 'tokenize', classes: '*' }] },
};
const OPTIONS: VaultOptions = {
  kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d',
  callers,
  clients: createAwsClients({ region: 'us-east-1' }),
};

describe('the options of a vault', () => {
  it('need a key and callers, and default to the names of the service', () => {
    expect(checkOptions({ ...OPTIONS, auditKeyId: undefined }, 'ap-southeast-2')).toEqual({
      ...OPTIONS,
      tokensTableName: 'tokenmesh-tokens',
      keysTableName: 'tokenmesh-keys',
      auditTableName: 'tokenmesh-audit',
      auditKeyId: 'alias/tokenmesh-audit',
      auditIdentity: 'tokenmesh-library',
      audit: 'sealed',
      policies: [],
      regionCode: 'SYD',
    });
  });

  it('name no region where none is known', () => {
    expect(checkOptions(OPTIONS, undefined)).not.toHaveProperty('regionCode');
    expect(checkOptions({ ...OPTIONS, regionCode: 'MOON' }, 'us-east-1').regionCode).toBe('MOON');
  });

  it.each<[string, object, string]>([
    ['no key', { kmsKeyArn: undefined }, 'kmsKeyArn: expected the ARN of a KMS key, got nothing'],
    [
      'an alias for the key',
      { kmsKeyArn: 'alias/x' },
      'kmsKeyArn: expected the ARN of a KMS key, got something else',
    ],
    ['an option that there is not', { tableName: 'x' }, 'tableName: expected no option of this name'],
    ["a table's name with a space", { tokensTableName: 'a b c' }, "tokensTableName: expected a table's name"],
    ['no caller', { callers: {} }, 'callers: expected one caller or more'],
    [
      'a caller with capitals',
      { callers: { Orders: callers['orders'] } },
      'callers.Orders: expected the name of',
    ],
    [
      'a caller without a tenant',
      { callers: { orders: { tenants: [], grants: [] } } },
      'callers.orders.tenants: expected one tenant or more',
    ],
    [
      'a grant of an operation that there is not',
      { callers: { orders: { tenants: ['shop'], grants: [{ operation: 'reveal', classes: '*' }] } } },
      'callers.orders.grants.0.operation: expected one of tokenize, detokenize,',
    ],
    [
      'a grant of a class that there is not',
      { callers: { orders: { tenants: ['shop'], grants: [{ operation: 'tokenize', classes: ['card'] }] } } },
      'callers.orders.grants.0.classes: expected "*" or some of pan,',
    ],
    [
      'rates, which nothing would hold',
      { callers: { orders: { ...callers['orders'], limits: {} } } },
      'callers.orders.limits: expected no option of this name',
    ],
    ['an audit that is neither on nor off', { audit: true }, 'audit: expected one of sealed, off'],
    ['a clock that is a time', { now: new Date(0) }, 'now: expected a function, got something else'],
    [
      'clients of another SDK',
      { clients: { dynamodb: {}, kms: {} } },
      'clients: expected what createAwsClients makes',
    ],
  ])('refuse %s', (_what, change, problem) => {
    const options = { ...OPTIONS, ...change } as VaultOptions;
    expect(() => openVault(options)).toThrow(
      expect.objectContaining({ code: 'ERR_VAULT_OPTIONS', message: expect.stringContaining(problem) }),
    );
  });

  it('are refused with every problem at once, and no digits of what was given', () => {
    const options = { audit: 'on', '4111111111111111': 1 } as unknown as VaultOptions;
    expect(() => checkOptions(options, undefined)).toThrow(/kmsKeyArn.*callers.*audit/);
    expect(() => checkOptions(options, undefined)).not.toThrow(/\d{6}/);
  });

  it('of its audit are those that the audit needs', () => {
    expect(checkAuditOptions({}).auditTableName).toBe('tokenmesh-audit');
    expect(() => checkAuditOptions({ callers } as object)).toThrow(
      'callers: expected no option of this name',
    );
  });
});

describe('a vault in the process', () => {
  it('refuses a caller that is not in its options, and shows no name but theirs', async () => {
    const vault = openVault({ ...OPTIONS, audit: 'off' });
    for (const name of ['4111111111111111', 'toString']) {
      expect(() => vault.as(name)).toThrow('expected one of orders');
      expect(() => vault.as(name)).not.toThrow(/4111|toString/);
    }
    await vault.close();
  });

  it('refuses policies that Cedar does not take, or that name somebody else', () => {
    const policy = (text: string): VaultOptions => ({ ...OPTIONS, policies: [{ name: 'night', text }] });
    const invalid = expect.objectContaining({ code: 'ERR_POLICY_INVALID' });
    expect(() => openVault(policy('permit all;'))).toThrow(invalid);
    const stranger = '@id("night") permit (principal == Identity::"nobody", action, resource);';
    expect(() => openVault(policy(stranger))).toThrow(invalid);
  });
});
