/**
 * `npm start -- --once`, and the parts that a user may give: an Envoy, an emulated AWS.
 *
 * @module
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';
import { envoyBinary } from '../support/envoy.ts';
import { leftOf, StartedRun } from '../support/running-mesh.ts';

const DEADLINE_MS = 400_000;

let aws: EmulatedAws | undefined;
afterEach(async () => {
  await aws?.stop();
  aws = undefined;
});

describe('npm start -- --once', () => {
  it(
    'exits 0 when everything held, on an Envoy and an AWS that were given, and leaves nothing',
    async () => {
      aws = await startEmulatedAws();
      const given = { ENVOY_BIN: await envoyBinary(), AWS_ENDPOINT_URL: aws.endpointUrl };
      const run = new StartedRun(undefined, ['--once'], given);
      await run.says('Envoys and apps', DEADLINE_MS);
      const { directory } = run;
      expect(await run.exited).toBe(0);
      expect(run.output).toMatch(/(\d+) of \1 checks held/);
      expect(leftOf({ directory })).toEqual([]);
      await run.end();

      const again = new StartedRun(undefined, ['--once'], given);
      expect(await again.exited).toBe(1);
      expect(again.output).toContain('has resources of a run already');
      await again.end();
    },
    DEADLINE_MS,
  );

  it.each([
    ['an Envoy that is none', { ENVOY_BIN: '/bin/true' }, 'is not an Envoy that runs here'],
    ['an Envoy that is not there', { ENVOY_BIN: '/no/such/envoy' }, 'is not an Envoy that runs here'],
    [
      'an AWS that does not answer',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      'does not answer as an emulated AWS',
    ],
  ])(
    'refuses %s at once, and says what to do',
    async (_what, given, said) => {
      const run = new StartedRun(undefined, ['--once'], given);
      expect(await run.exited).toBe(1);
      expect(run.output).toContain(said);
      expect(run.output).toMatch(/unset|leave \w+ out/);
      await run.end();
    },
    DEADLINE_MS,
  );
});
