/**
 * A token format with no free token left, on a running mesh: what callers get, what the operator sees.
 *
 * @module
 */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { createDynamodbTokenStore } from '../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { SHIPPED_POLICIES_DIRECTORY } from '../../sidecar/tokenizer/adapters/policy-set.ts';
import { SSN_AREAS, SSN_GROUPS } from '../../sidecar/tokenizer/core/formats/ssn.ts';
import { isToken } from '../../sidecar/tokenizer/core/token.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';

const DEADLINE_MS = 120_000;

/** Nobody's: the Social Security Administration used it in an advertisement. */
const SSN = '078-05-1120';

const policies = mkdtempSync(join(tmpdir(), 'tokenmesh-policies-'));
cpSync(SHIPPED_POLICIES_DIRECTORY, policies, { recursive: true });
writeFileSync(
  join(policies, 'small-formats.cedar'),
  `@id("small-formats.order")
permit (principal == Identity::"order.tokenmesh.internal", action == Action::"tokenize", resource == FieldClass::"ssn")
when { context.smallFormat && context.tenant == "shop" };
`,
);

const suite = meshOfSuite({ TOKENMESH_POLICIES_DIRECTORY: policies });

afterAll(() => rmSync(policies, { recursive: true, force: true }));

const REQUEST = {
  fields: { it: { class: 'ssn', value: SSN } },
  format: 'ssn-last-four',
  allowSmallFormat: true,
};

const tokenize = (more: object = {}) =>
  callAs(suite.state, 'order', 'POST', '/v1/tokens', { ...REQUEST, ...more });

/** Every token that there can be for a number with these last four digits, as if others had it. */
async function takeAll(): Promise<number> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const tokens = SSN_AREAS.flatMap((area) =>
    SSN_GROUPS.map((group) => `${area}-${String(group).padStart(2, '0')}-${SSN.slice(-4)}`),
  ).filter((token) => isToken(token) !== undefined);
  const store = createDynamodbTokenStore({
    client: dynamodb,
    tableName: suite.state.tables.tokens,
    batchDeadlineMs: DEADLINE_MS,
    onFault: () => undefined,
  });
  const fields = new Map([['it', { class: 'ssn', message: Uint8Array.of(1) } as const]]);
  const outcomes = await store.insertMany(
    tokens.map((token) => ({ tenant: 'shop', token, createdAt: new Date(0), fields })),
  );
  expect(outcomes.every((outcome) => outcome === 'stored')).toBe(true);
  return tokens.length;
}

async function metric(name: string): Promise<number> {
  const dispatcher = createEgress(nodeState(suite.state, 'tokenizer').appSocket ?? '');
  const text = await (await request('http://tokenizer/metrics', { dispatcher })).body.text();
  await dispatcher.close();
  return Number(new RegExp(`^${name}\\{format="ssn-last-four"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

function alarms(): number {
  const { directory } = suite.state;
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.log'),
  );
  const lines = logs.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
  return lines.filter((line) => line.includes('"alarm":"a token format has no free token left"')).length;
}

describe('a token format with few possibilities', () => {
  it(
    'serves whoever asks in so many words and is permitted, until none is free: 503 then, an alarm, and never a token that is taken',
    async () => {
      const first = await tokenize();
      expect([first.status, first.document['token']]).toEqual([
        201,
        expect.stringMatching(/^9\d\d-\d\d-1120$/),
      ]);
      expect(alarms()).toBe(0);
      expect(await takeAll()).toBeGreaterThan(4_000);
      const refused = await tokenize();
      expect(refused).toMatchObject({ status: 503, document: { code: 'ERR_FORMAT_EXHAUSTED' } });
      expect(refused.headers['retry-after']).toBe('1');
      expect([await metric('tokenmesh_format_exhausted_total'), alarms()]).toEqual([1, 1]);
      expect(await metric('tokenmesh_token_collisions_total')).toBeGreaterThanOrEqual(6);
      const { document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens/batch', {
        items: [REQUEST, { fields: REQUEST.fields }],
      });
      expect(document['results']).toMatchObject([
        { error: { code: 'ERR_FORMAT_EXHAUSTED' } },
        { token: expect.stringMatching(/^tkn_/) as unknown },
      ]);
    },
    DEADLINE_MS,
  );

  it('widens to the format default where the request says so', async () => {
    const widened = await tokenize({ onExhaustion: 'widen' });
    expect(widened).toMatchObject({ status: 201, document: { format: 'default' } });
    const { document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
      token: widened.document['token'],
      purpose: 'identity-check',
    });
    expect(document).toEqual({ fields: { it: { value: SSN, form: 'plain' } } });
  });
});
