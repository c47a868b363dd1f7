/**
 * The faults that the scenes play, all on one mesh, as `npm run scene` plays them. Each ends with `held` where every
 * promise was kept: promises.test.ts shows that each would be missed.
 *
 * @module
 */

import { beforeAll, describe, expect, it } from '@jest/globals';
import { installDebianPackages } from '../../support/debian-packages.ts';
import { command, type Output } from '../../support/running-mesh.ts';

const DEADLINE_MS = 900_000;

/** Of those that fail alike one is here; docs/reliability.md has all of them, and how each is played. */
const PLAYED: readonly (readonly [name: string, title: string])[] = [
  ['kms-down', 'KMS is down: every call is cut off'],
  ['kms-pending-deletion', 'the key of the vault is about to be deleted, and is saved'],
  ['dynamodb-silent', 'DynamoDB is silent: an answer takes 20 s'],
  ['dynamodb-throttled', 'DynamoDB throttles every second call'],
  ['dynamodb-unprocessed', 'DynamoDB leaves half of each batch unprocessed'],
  ['dynamodb-cut-after-write', 'the connection is cut after each write was done'],
  [
    'secrets-manager-down-at-start',
    "Secrets Manager is down when the tokenizer's task starts: its Envoy waits for a certificate",
  ],
  ['silent-connections', "10000 connections to the tokenizer's listener that say nothing"],
  ['full-disk', 'the disk is full: nothing can be logged, no file be written'],
  ['clock-forward', 'the clock of the tokenizer and its agent jumps 45 minutes ahead, and back'],
  ['kills', 'Envoys, agents and apps are killed by SIGKILL at random while requests go on'],
];

let played: Output;

beforeAll(async () => {
  await installDebianPackages(['libfaketime']);
  const names = PLAYED.map(([name]) => name);
  played = await command('npm', ['run', '--silent', 'scene', '--', ...names, '--count', '6', '--seed', '7']);
}, DEADLINE_MS);

describe('a mesh that is broken on purpose', () => {
  it.each(PLAYED)('keeps its promises: %s', (_name, title) => {
    const { stdout, stderr } = played;
    const story = stdout.slice(stdout.indexOf(`${title}\n`)).split('\n');
    const end = story.findIndex((line) => line === 'held' || line === 'did not hold');
    expect({ stderr, story: story.slice(0, end + 1) }).toMatchObject({
      stderr: '',
      story: expect.arrayContaining([title, 'held']) as unknown,
    });
  });

  it('is seen to be harmed, and the command says that all held', () => {
    expect(played.stdout).toMatch(/after all of them[^]*: each opened\n[^]*\nheld\n$/);
    expect(played.stdout).toMatch(/\d+ x 503 ERR_KEY_UNAVAILABLE/);
    expect(played.stdout).toMatch(/\d+ x 503 ERR_STORE_UNAVAILABLE/);
    expect(played.code).toBe(0);
  });
});
