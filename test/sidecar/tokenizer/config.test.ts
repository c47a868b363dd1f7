import { availableParallelism } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { SHIPPED_POLICIES_DIRECTORY } from '../../../sidecar/tokenizer/adapters/policy-set.ts';
import { readConfig } from '../../../sidecar/tokenizer/config.ts';

const WHOLE = {
  TOKENMESH_APP_SOCKET: '/run/tokenmesh/app.sock',
  TOKENMESH_KMS_KEY_ARN: 'arn:aws:kms:us-east-1:123456789012:key/4d2a3c1e-0000-4000-8000-000000000000',
  AWS_REGION: 'us-east-1',
};

describe('the configuration of the tokenizer', () => {
  it('has names of tables by default', () => {
    expect(readConfig(WHOLE)).toEqual({
      markKeyArns: [],
      socketPath: '/run/tokenmesh/app.sock',
      tokensTableName: 'tokenmesh-tokens',
      keysTableName: 'tokenmesh-keys',
      kmsKeyArn: WHOLE.TOKENMESH_KMS_KEY_ARN,
      policiesDirectory: SHIPPED_POLICIES_DIRECTORY,
      rateOverrides: {},
      regionCode: 'IAD',
      otherRegionCodes: [],
      heartbeatSeconds: 5,
      sweepSeconds: 60,
      keySeconds: 3600,
      sealingThreads: Math.min(4, availableParallelism() - 1),
      fingerprintsTableName: 'tokenmesh-fingerprints',
      auditTableName: 'tokenmesh-audit',
      auditKeyId: 'alias/tokenmesh-audit',
    });
  });

  it('takes several keys of marks, and refuses what is no ARN of one', () => {
    const arns = [WHOLE.TOKENMESH_KMS_KEY_ARN, `${WHOLE.TOKENMESH_KMS_KEY_ARN.slice(0, -1)}1`];
    expect(readConfig({ ...WHOLE, TOKENMESH_MARK_KEY_ARNS: arns.join(',') }).markKeyArns).toEqual(arns);
    expect(() => readConfig({ ...WHOLE, TOKENMESH_MARK_KEY_ARNS: 'alias/tokenmesh-edge' })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('TOKENMESH_MARK_KEY_ARNS') }),
    );
  });

  it('tells a bus of events where it is named, and refuses what is no name of one', () => {
    const arn = 'arn:aws:events:us-east-1:123456789012:event-bus/tokenmesh';
    expect(readConfig({ ...WHOLE, TOKENMESH_EVENT_BUS: arn }).eventBusName).toBe(arn);
    expect(() => readConfig({ ...WHOLE, TOKENMESH_EVENT_BUS: 'a bus' })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('TOKENMESH_EVENT_BUS') }),
    );
  });

  it('takes another folder of policies, and limits', () => {
    const env = {
      ...WHOLE,
      TOKENMESH_POLICIES_DIRECTORY: '/etc/tokenmesh/policies',
      TOKENMESH_LIMITS: '{"order":{"delete":{"perSecond":0.5,"burst":3}}}',
    };
    expect(readConfig(env)).toMatchObject({
      policiesDirectory: '/etc/tokenmesh/policies',
      rateOverrides: { order: { delete: { perSecond: 0.5, burst: 3 } } },
    });
  });

  it.each([
    [{ AWS_REGION: 'ap-southeast-2' }, 'SYD'],
    [{ TOKENMESH_REGION_CODE: 'LOCL' }, 'LOCL'],
    [{ AWS_REGION: 'moon-north-1', TOKENMESH_REGION_CODE: 'MN' }, 'MN'],
  ])('names the region in tokens: %j as %s', (change, code) => {
    expect(readConfig({ ...WHOLE, ...change }).regionCode).toBe(code);
  });

  it('knows the other regions, of which it is none, and refuses what is no code', () => {
    expect(readConfig({ ...WHOLE, TOKENMESH_OTHER_REGIONS: 'DUB,SYD' }).otherRegionCodes).toEqual([
      'DUB',
      'SYD',
    ]);
    for (const wrong of ['DUB,IAD', 'eu-west-1']) {
      expect(() => readConfig({ ...WHOLE, TOKENMESH_OTHER_REGIONS: wrong })).toThrow(
        expect.objectContaining({ message: expect.stringContaining('TOKENMESH_OTHER_REGIONS') }),
      );
    }
  });

  it('refuses a region that has no name, and says which variable gives one', () => {
    expect(() => readConfig({ ...WHOLE, AWS_REGION: 'moon-north-1' })).toThrow(
      'TOKENMESH_REGION_CODE: expected two to four capitals, since no code is known for AWS_REGION, got nothing',
    );
  });

  it('takes a multi-Region key and tables of other names', () => {
    const env = {
      ...WHOLE,
      TOKENMESH_KMS_KEY_ARN: 'arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef',
      TOKENMESH_TOKENS_TABLE: 'a.tokens',
      TOKENMESH_KEYS_TABLE: 'a.keys',
    };
    expect(readConfig(env)).toMatchObject({ tokensTableName: 'a.tokens', keysTableName: 'a.keys' });
  });

  it('refuses an empty environment with every problem at once', () => {
    expect(() => readConfig({})).toThrow(
      'the tokenizer cannot start: TOKENMESH_APP_SOCKET: expected an absolute path of at most 103 bytes, got nothing; TOKENMESH_KMS_KEY_ARN: expected the ARN of a KMS key, got nothing; AWS_REGION: expected a region, got nothing',
    );
  });

  it.each([
    ['TOKENMESH_APP_SOCKET', 'app.sock'],
    ['TOKENMESH_APP_SOCKET', `/${'a'.repeat(103)}`],
    ['TOKENMESH_TOKENS_TABLE', 'a'],
    ['TOKENMESH_KEYS_TABLE', 'with space'],
    ['TOKENMESH_KMS_KEY_ARN', 'alias/vault'],
    ['TOKENMESH_AUDIT_TABLE', 'a'],
    ['TOKENMESH_AUDIT_KEY_ID', 'the audit key'],
    ['AWS_REGION', 'US East'],
    ['TOKENMESH_LIMITS', 'fast'],
    ['TOKENMESH_LIMITS', '{"order":{"delete":{"perSecond":0,"burst":3}}}'],
    ['TOKENMESH_REGION_CODE', 'Sydney'],
    ['TOKENMESH_REGION_CODE', 'S'],
    ['TOKENMESH_SEALING_THREADS', '10'],
    ['TOKENMESH_SEALING_THREADS', 'all'],
    ['TOKENMESH_BRANCH_KEY_SECONDS', '4'],
    ['TOKENMESH_BRANCH_KEY_SECONDS', '86401'],
    ['TOKENMESH_BRANCH_KEY_SECONDS', '1e3'],
    ['TOKENMESH_SWEEP_SECONDS', '0'],
    ['TOKENMESH_SWEEP_SECONDS', '1000'],
    ['TOKENMESH_SWEEP_SECONDS', 'often'],
  ])('refuses %s=%s, naming the variable', (name, value) => {
    const refused = (): unknown => readConfig({ ...WHOLE, [name]: value });
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
    expect(refused).toThrow(name);
  });
});
