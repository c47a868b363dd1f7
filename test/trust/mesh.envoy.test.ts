/**
 * Attacks by a member on the running mesh: order's certificate, raw bytes, and a right that it has not.
 *
 * @module
 */

import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FoundRecord } from '../../sidecar/tokenizer/core/audit/find-records.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { callAs } from '../support/mesh-call.ts';
import { mesh } from '../support/running-mesh.ts';
import { API_ATTACKS, GUESSING_LIMITS, IDENTITY_ATTACKS } from './attacks/api-attacks.ts';
import { HTTP2_ATTACKS, HTTP_ATTACKS } from './attacks/http-attacks.ts';
import type { MeshTarget } from './attacks/member.ts';

const DEADLINE_MS = 120_000;
const CARD = testCard('visa', 16).number;

const suite = meshOfSuite({ TOKENMESH_LIMITS: JSON.stringify(GUESSING_LIMITS) });
let target: MeshTarget;

beforeAll(async () => {
  const { document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', {
    fields: { card: { class: 'pan', value: CARD } },
  });
  target = { state: suite.state, token: String(document['token']) };
});

describe('an attack by HTTP/1.1', () => {
  it.each(HTTP_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});

describe('an attack by HTTP/2', () => {
  it.each(HTTP2_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});

describe('an attack on the API', () => {
  it.each(API_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});

describe('an attack by a certificate that the CA should not have issued', () => {
  it.each(IDENTITY_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});

describe('after all attacks', () => {
  it(
    'nothing was revealed to order, by the word of the audit',
    async () => {
      const { stdout } = await mesh(suite.run, ['audit', 'tail', '--json', '-n', '10000']);
      const records = (JSON.parse(stdout) as FoundRecord[]).map(({ record }) => record);
      expect(records.length).toBeGreaterThan(0);
      const revealed = records.filter(
        ({ identity, operation, outcome }) =>
          identity !== 'paybill.tokenmesh.internal' && operation === 'detokenize' && outcome === 'ok',
      );
      expect(revealed).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'every edge holds, and the card comes back to paybill',
    async () => {
      expect((await mesh(suite.run, ['verify'])).code).toBe(0);
      const { document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
        token: target.token,
      });
      expect(document).toEqual({ fields: { card: { value: CARD, form: 'plain' } } });
    },
    DEADLINE_MS,
  );
});
