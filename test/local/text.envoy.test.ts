/**
 * Texts and documents through the whole mesh: tokenized as order, turned back as paybill.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { isToken } from '../../sidecar/tokenizer/core/token.ts';
import { mesh, StartedRun } from '../support/running-mesh.ts';

const START_DEADLINE_MS = 400_000;
const DEADLINE_MS = 120_000;

const CARD = (testCard('mastercard', 16).number.match(/.{4}/g) ?? []).join(' ');
const AMEX = testCard('american-express', 15).number;
const MAILBOX = 'ann.planted@example.com';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const SSN = '219-45-6789';
const PHONE = '+1 415 555 0132';
const IP = '203.0.113.77';
const STREET = '12 Planted Orchard Lane';
const CODE = '8642';
const VALUES = [CARD, CARD.replaceAll(' ', ''), AMEX, MAILBOX, IBAN, SSN, PHONE, IP, STREET];

const TEXT = `😀 ${MAILBOX} wrote: card ${CARD}, IBAN ${IBAN}, SSN ${SSN}, call ${PHONE} (from ${IP}). Order 2026-1234.`;
const DOCUMENT = {
  order: 'a-1',
  card_number: AMEX,
  cvv: CODE,
  customer: { email: MAILBOX, address: { street: STREET } },
  log: [`login from ${IP}`, 7, null],
};

let run: StartedRun;
let state: RunState;

beforeAll(async () => {
  run = new StartedRun();
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
  state = run.state;
}, START_DEADLINE_MS);

afterAll(async () => {
  await run.end();
}, DEADLINE_MS);

interface Answer {
  readonly status: number;
  readonly document: Record<string, unknown>;
}

async function post(node: string, path: string, body: object): Promise<Answer> {
  const files = identityFiles(state, node, 'client');
  const { listener, identity: servername } = nodeState(state, 'tokenizer');
  const connect = {
    cert: readFileSync(files.chain),
    key: readFileSync(files.key),
    ca: readFileSync(files.trust),
    servername,
  };
  const dispatcher = new Agent({ connect });
  const answer = await request(`https://${listener.host}:${listener.port}${path}`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  await dispatcher.close();
  const isJson = String(answer.headers['content-type']).includes('json');
  return { status: answer.statusCode, document: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

const tokenize = (body: object): Promise<Answer> => post('order', '/v1/text/tokenize', body);
const detokenize = (body: object): Promise<Answer> => post('paybill', '/v1/text/detokenize', body);

describe('a text', () => {
  it(
    'loses every value as order, and has them back as paybill for payment, else masked',
    async () => {
      const { status, document } = await tokenize({ text: TEXT });
      expect(status).toBe(200);
      const findings = document['findings'] as { class: string; token: string; start: number; end: number }[];
      expect(findings.map((each) => [each.class, TEXT.slice(each.start, each.end)])).toEqual([
        ['email', MAILBOX],
        ['pan', CARD],
        ['iban', IBAN],
        ['ssn', SSN],
        ['phone', PHONE],
        ['ip', IP],
      ]);
      expect(findings.every(({ token }) => isToken(token) !== undefined)).toBe(true);
      const { text } = document;
      expect(VALUES.filter((value) => JSON.stringify(document).includes(value))).toEqual([]);

      const plain = await detokenize({ text, purpose: 'payment' });
      expect(plain.document).toMatchObject({ text: TEXT, replacements: { plain: 6, masked: 0 } });
      const masked = await detokenize({ text, purpose: 'support' });
      expect(masked.document).toMatchObject({ replacements: { plain: 0, masked: 6 } });
      expect(VALUES.filter((value) => JSON.stringify(masked.document).includes(value))).toEqual([]);
      expect(masked.document['text']).toContain('a***@example.com wrote');
    },
    DEADLINE_MS,
  );

  it(
    'is masked without anything being stored',
    async () => {
      const { document } = await tokenize({ text: TEXT, mode: 'mask' });
      expect(JSON.stringify(document)).not.toContain('tkn_');
      expect(VALUES.filter((value) => JSON.stringify(document).includes(value))).toEqual([]);
    },
    DEADLINE_MS,
  );
});

describe('a document', () => {
  it(
    'keeps its form, loses its values and has them back, but for the security code',
    async () => {
      const { status, document } = await tokenize({ json: DOCUMENT });
      expect(status).toBe(200);
      const paths = (document['findings'] as { path: string }[]).map(({ path }) => path);
      expect(paths).toEqual([
        '/card_number',
        '/cvv',
        '/customer/email',
        '/customer/address/street',
        '/log/0',
      ]);
      expect([...VALUES, CODE].filter((value) => JSON.stringify(document['json']).includes(value))).toEqual(
        [],
      );
      const back = await detokenize({ json: document['json'] });
      expect(back.document['json']).toEqual({ ...DOCUMENT, cvv: '***' });
    },
    DEADLINE_MS,
  );
});

describe('who may not, and what is too much', () => {
  it(
    'is refused with 403',
    async () => {
      for (const [node, path] of [
        ['outsider', '/v1/text/tokenize'],
        ['outsider', '/v1/text/detokenize'],
        ['paybill', '/v1/text/tokenize'],
        ['order', '/v1/text/detokenize'],
      ] as const) {
        expect([node, (await post(node, path, { text: TEXT })).status]).toEqual([node, 403]);
      }
    },
    DEADLINE_MS,
  );

  it(
    'is refused with 413, and a problem that says what to do',
    async () => {
      const nested = JSON.parse('['.repeat(65) + ']'.repeat(65)) as unknown;
      for (const [body, code] of [
        [{ text: `${TEXT} `.repeat(9000) }, 'ERR_TEXT_TOO_LARGE'],
        [{ text: `${IP} `.repeat(1001) }, 'ERR_TOO_MANY_FINDINGS'],
        [{ json: nested }, 'ERR_JSON_TOO_DEEP'],
      ] as const) {
        const { status, document } = await tokenize(body);
        expect([status, document['code']]).toEqual([413, code]);
        expect(document['remedy']).not.toBe('');
        expect(VALUES.filter((value) => JSON.stringify(document).includes(value))).toEqual([]);
      }
    },
    DEADLINE_MS,
  );

  it(
    'takes a thousand findings, and a mebibyte',
    async () => {
      const text = Array.from(
        { length: 1000 },
        (_, index) => `10.0.${index % 250}.${Math.floor(index / 250)}`,
      ).join(' ');
      const { status, document } = await tokenize({ text });
      expect(status).toBe(200);
      expect((await detokenize({ text: document['text'] })).document['text']).toBe(text);
      expect((await tokenize({ text: 'x'.repeat(1024 * 1024) })).status).toBe(200);
    },
    DEADLINE_MS,
  );
});

describe("the operator's command", () => {
  it(
    'passes standard input through in both directions',
    async () => {
      const tokenized = await mesh(run, ['text', 'tokenize', '-'], `${TEXT}\n`);
      expect(tokenized).toMatchObject({ code: 0, stderr: '' });
      expect(VALUES.filter((value) => tokenized.stdout.includes(value))).toEqual([]);
      const back = await mesh(run, ['text', 'detokenize', '-'], tokenized.stdout);
      expect(back).toMatchObject({ code: 0, stdout: `${TEXT}\n` });
      const masked = await mesh(
        run,
        ['text', 'tokenize', '--mode', 'mask', '--json', '-'],
        JSON.stringify(DOCUMENT),
      );
      expect(JSON.parse(masked.stdout)).toMatchObject({ order: 'a-1', cvv: '***' });
    },
    DEADLINE_MS,
  );

  it.each([
    ['a text as an argument', ['text', 'tokenize', MAILBOX], '', 2],
    ['another mode', ['text', 'tokenize', '--mode', 'drop', '-'], 'x', 2],
    ['what is not JSON', ['text', 'tokenize', '--json', '-'], MAILBOX, 1],
    ['nothing', ['text', 'detokenize', '-'], '', 1],
  ])(
    'refuses %s, and shows none of it',
    async (_, given, input, code) => {
      const answer = await mesh(run, given, input);
      expect(answer.code).toBe(code);
      expect(answer.stderr).not.toContain(MAILBOX);
    },
    DEADLINE_MS,
  );
});

describe('what is written', () => {
  it(
    'holds none of the values: not in a log, not in a file, not in a table',
    async () => {
      const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const search = await searchForLeaks(state.directory, dynamodb, Object.values(state.tables), VALUES);
      expect(search.found).toEqual([]);
      expect(search.items).toBeGreaterThan(1000);
    },
    DEADLINE_MS,
  );
});
