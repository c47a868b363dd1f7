import { describe, expect, it } from '@jest/globals';
import { readDeployment } from '../../infra/config.ts';
import { AT_EDGE, edgeKeyFile, KEY_ID } from '../support/edge-key-file.ts';

const refused = (context: Record<string, unknown>, about: RegExp): void =>
  expect(() => readDeployment(context)).toThrow(
    expect.objectContaining({ code: 'ERR_DEPLOYMENT_INVALID', message: expect.stringMatching(about) }),
  );

describe('what a deployment is told', () => {
  it('has a default for every choice', () => {
    expect(readDeployment({})).toEqual({
      target: 'envoy',
      regions: ['us-east-1'],
      certificates: 'acm-export',
      multiRegion: true,
      keyOrigin: 'AWS_KMS',
      outsider: false,
      orderStore: 'dynamodb',
      edgeKeys: [],
      size: 'small',
      data: 'keep',
      logDays: 400,
    });
  });

  it('has the function at the edge with the public half of its key', () => {
    const { edgeKeys, edgeFunction } = readDeployment({ ...AT_EDGE, edgeKeyFile: edgeKeyFile() });
    expect(edgeKeys).toEqual(['second', 'first']);
    expect(edgeFunction?.key.keyId).toBe(KEY_ID);
    expect(edgeFunction?.key.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(edgeFunction?.prefixLists).toEqual(['pl-0123abcd']);
  });

  it('is taken from the command line as text, and from cdk.json as it stands there', () => {
    const given = {
      regions: ['us-east-1', 'eu-west-1'],
      account: '123456789012',
      outsider: true,
      logDays: 30,
    };
    expect(readDeployment(given)).toEqual(
      readDeployment({
        regions: 'us-east-1,eu-west-1',
        account: '123456789012',
        outsider: 'true',
        logDays: '30',
      }),
    );
  });

  it("leaves CDK's own context alone", () => {
    expect(() =>
      readDeployment({ '@aws-cdk/core:stackRelativeExports': true, 'aws:cdk:x': 1 }),
    ).not.toThrow();
  });

  it.each([
    ['another target', { target: 'mesh' }, /target: expected one of envoy, app-mesh, got "mesh"/],
    ['no region', { regions: 'Virginia' }, /regions: expected regions such as/],
    ['a region twice', { regions: 'us-east-1,us-east-1', account: '123456789012' }, /each region once/],
    ['several regions without an account', { regions: 'us-east-1,eu-west-1' }, /account: expected/],
    ['a domain without its zone', { domain: 'pay.example.com' }, /both or neither/],
    ['a domain that is none', { domain: 'pay', hostedZoneId: 'Z0123456789ABC' }, /domain: expected a domain/],
    ['another size', { size: 'huge' }, /size: expected one of small, medium, large/],
    ['days that CloudWatch does not take', { logDays: '100' }, /logDays: expected one of 1, 3/],
    ['an address that is none', { alarmEmail: 'somebody' }, /alarmEmail: expected an e-mail/],
    ['a slip in a name', { region: 'us-east-1' }, /region: expected one of target, regions/],
    [
      'key material of one own in several regions',
      { keyOrigin: 'EXTERNAL', regions: 'us-east-1,eu-west-1', account: '123456789012' },
      /keyOrigin: expected AWS_KMS with several regions/,
    ],
    [
      'replicas of a key that can have none',
      { multiRegion: 'false', regions: 'us-east-1,eu-west-1', account: '123456789012' },
      /multiRegion: expected true/,
    ],
    [
      'a database in each of several regions',
      { orderStore: 'mysql', regions: 'us-east-1,eu-west-1', account: '123456789012' },
      /orderStore: expected dynamodb with several regions/,
    ],
    ['a name of a key that is none', { edgeKeys: 'First' }, /edgeKeys: expected names of keys/],
    ['a name of a key twice', { edgeKeys: 'one,one' }, /edgeKeys: expected each name once/],
    [
      'a function at the edge without the public half of its key, and says how to get it',
      { ...AT_EDGE, edgeKeyFile: '/nowhere/edge-key.json' },
      /edgeKeyFile: expected a file with what is printed by: aws kms get-public-key .*got none that can be read/,
    ],
    [
      'a key that does not encrypt',
      { ...AT_EDGE, edgeKeyFile: edgeKeyFile({ KeyUsage: 'SIGN_VERIFY' }) },
      /edgeKeyFile: .*got no key of the usage ENCRYPT_DECRYPT/,
    ],
    [
      'a function at the edge with no key of the deployment, no domain and no way past CloudFront closed',
      { edgeKeyFile: edgeKeyFile() },
      /edgePrefixLists: expected one for each region.*domain: expected.*edgeKeys: expected with edgeKeyFile/,
    ],
    [
      'a region whose load balancer anybody reaches past CloudFront',
      { ...AT_EDGE, regions: 'us-east-1,eu-west-1', account: '123456789012', edgeKeyFile: edgeKeyFile() },
      /edgePrefixLists: expected one for each region/,
    ],
  ])('refuses %s', (_name, context, about) => refused(context, about));

  it('tells every problem at once', () => {
    refused({ target: 'x', size: 'y', data: 'z' }, /target:.*size:.*data:/);
  });
});
