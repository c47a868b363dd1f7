import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emulatorClients } from '../../../operator/aws-clients.ts';
import type { RunState } from '../../../operator/run-state.ts';
import { mintToken, TOKEN_RANDOM_BYTES } from '../../../sidecar/tokenizer/core/token.ts';
import { testCard } from '../../../sample-apps/test-cards.ts';
import { issue } from '../../support/certificate-authorities.ts';
import { createCsr } from '../../support/openssl.ts';
import { callTokenizerAs } from '../../support/tokenizer-port.ts';
import { alike, type Attack, type Attempt } from './attack.ts';
import type { Shown } from './handshake.ts';
import type { MeshTarget } from './member.ts';
import { bytesWith, http1 } from './raw-http1.ts';

const CARD = testCard('visa', 16).number;
const FIELDS = `"fields":{"card":{"class":"pan","value":"${CARD}"}}`;

/** Sends a body as it stands. @returns `<status> <code>`, and what `shows` says of the answer. */
function sent(
  node: string,
  path: string,
  body: (target: MeshTarget) => string,
  shows: (document: Record<string, unknown>) => string = () => '',
): Attempt<MeshTarget> {
  return async (target) => {
    const { status, document } = await callTokenizerAs(target.state, node, 'POST', path, body(target));
    return [status, document['code'], shows(document)].filter(Boolean).join(' ');
  };
}

const stored = (body: string): Attempt<MeshTarget> => sent('order', '/v1/tokens', () => body);
const card = (value: string, more = ''): string =>
  `{"fields":{"card":{"class":"pan","value":${JSON.stringify(value)}${more}}}}`;

const SHAPES = alike<MeshTarget>(
  'a body says what the document names, and no more',
  '400 ERR_REQUEST_INVALID',
  [
    [
      'mass assignment: createdAt and expiresAt',
      stored(`{${FIELDS},"createdAt":"2000-01-01T00:00:00Z","expiresAt":"2999-01-01T00:00:00Z"}`),
    ],
    ['mass assignment: a token of my choice', stored(`{${FIELDS},"token":"tkn_mine"}`)],
    ['mass assignment: the identity', stored(`{${FIELDS},"identity":"paybill.tokenmesh.internal"}`)],
    [
      'mass assignment: revision and policies of a field',
      stored(card(CARD, ',"revision":9,"policies":["mine"]')),
    ],
    ['__proto__ in the body', stored(`{${FIELDS},"__proto__":{"tenant":"bank"}}`), '400 ERR_BODY_NOT_JSON'],
    [
      'constructor.prototype in the body',
      stored(`{${FIELDS},"constructor":{"prototype":{"tenant":"bank"}}}`),
      '400 ERR_BODY_NOT_JSON',
    ],
    [
      '__proto__ as the name of a field',
      stored(`{"fields":{"__proto__":{"class":"pan","value":"${CARD}"}}}`),
      '400 ERR_BODY_NOT_JSON',
    ],
    [
      'constructor as a class',
      stored('{"fields":{"a":{"class":"constructor","value":"x"}}}'),
      '400 ERR_CLASS_UNSUPPORTED',
    ],
    ['an array that is a body', stored(`[{${FIELDS}}]`)],
    ['a number that is a value', stored(`{"fields":{"card":{"class":"pan","value":${CARD}}}}`)],
    ['10,000 levels of JSON', stored(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)],
    ['a million levels of JSON', stored('{"fields":'.repeat(500_000)), '400 ERR_BODY_NOT_JSON'],
    [
      '10,000 fields',
      stored(
        `{"fields":{${Array.from({ length: 10_000 }, (_, index) => `"f${index}":{"class":"text","value":"x"}`).join(',')}}}`,
      ),
    ],
    ['NaN as a life', stored(`{${FIELDS},"ttlSeconds":NaN}`), '400 ERR_BODY_NOT_JSON'],
    ['a life of 1e400 seconds', stored(`{${FIELDS},"ttlSeconds":1e400}`)],
  ],
);

const DIGITS = alike<MeshTarget>('a card number has the digits 0 to 9', '400 ERR_VALUE_INVALID', [
  ['full-width digits', stored(card(withDigits(CARD, 0xff10)))],
  ['Arabic-Indic digits', stored(card(withDigits(CARD, 0x0660)))],
  ['mathematical bold digits', stored(card(withDigits(CARD, 0x1d7ce)))],
  ['a letter l in place of a one', stored(card(testCard('visa', 16).number.replace('1', 'l')))],
  ['a zero-width space within', stored(card(`${CARD.slice(0, 4)}\u200b${CARD.slice(4)}`))],
  ['a NUL behind', stored(card(`${CARD}\0`))],
]);

const DUPLICATES = alike<MeshTarget>('one reader, and so one meaning', '201', [
  ['JSON with a byte order mark', stored(`\uFEFF{${FIELDS}}`)],
  ['a key twice: the last counts', stored(`{"fields":{"a":{"class":"pan","value":"1"}},${FIELDS}}`)],
]);

const unknownToken = (): string => mintToken(randomBytes(TOKEN_RANDOM_BYTES));
const revealing = (token: string, more: object = {}): string =>
  JSON.stringify({ token, purpose: 'payment', ...more });

const TENANTS = alike<MeshTarget>("a tenant is the caller's own", '403 ERR_TENANT_DENIED', [
  [
    'a reveal in another tenant',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { tenant: 'bank' })),
  ],
  [
    'a reveal in another tenant, of a token that there is not',
    sent('paybill', '/v1/detokenize', () => revealing(unknownToken(), { tenant: 'bank' })),
  ],
  [
    'the tenant in capitals',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { tenant: 'SHOP' })),
  ],
  [
    'the tenant with a space',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { tenant: 'shop ' })),
  ],
  [
    'the tenant __proto__',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { tenant: '__proto__' })),
  ],
  ['a card into another tenant', stored(`{${FIELDS},"tenant":"bank"}`)],
]);

const formOf = (document: Record<string, unknown>): string =>
  Object.values((document['fields'] ?? {}) as Record<string, { form: string }>)
    .map(({ form }) => form)
    .join();

const PURPOSES = alike<MeshTarget>('plain for a purpose of the definition alone', '200 masked', [
  [
    'the purpose in capitals',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { purpose: 'PAYMENT' }), formOf),
  ],
  [
    'the purpose with a space',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { purpose: 'payment ' }), formOf),
    '400 ERR_REQUEST_INVALID',
  ],
  [
    'a purpose that is Cedar',
    sent('paybill', '/v1/detokenize', ({ token }) => revealing(token, { purpose: '" || true || "' }), formOf),
    '400 ERR_REQUEST_INVALID',
  ],
]);

const AT_ONCE = 200;
const GUESSES_AT_MOST = 10_000;

/** What the running mesh gives paybill, so that the limit is soon reached: by default 5,000 in a second. */
export const GUESSING_LIMITS = { paybill: { detokenize: { perSecond: 20, burst: 1_000 } } };

const ENUMERATION: readonly Attack<MeshTarget>[] = [
  {
    what: 'two hundred made-up tokens in one batch',
    promised: 'each gets the same answer, which says nothing of it',
    seen: '1 answer: ERR_TOKEN_UNKNOWN',
    attempt: guessed,
  },
  {
    what: 'made-up tokens by who may not reveal',
    promised: 'a token that is there and one that is not get the same answer',
    seen: 'the same: 403 ERR_MESH_DENIED',
    attempt: guessedWithoutRight,
  },
  {
    what: 'made-up tokens, two hundred at a time, without an end',
    promised: 'what one caller may ask for is limited',
    seen: `429 ERR_RATE_LIMITED within ${GUESSES_AT_MOST} guesses`,
    attempt: guessedWithoutEnd,
  },
];

const ORDER = 'order.tokenmesh.internal';
const PAYBILL = 'paybill.tokenmesh.internal';

/** Reveals with a certificate of the mesh's own CA, for names that no node of it has asked for. */
const revealedAs = (...names: string[]): Attempt<MeshTarget> =>
  asIssued(names, ({ token }) =>
    http1({ headers: [`content-length: ${revealing(token).length}`], body: revealing(token) }),
  );

const CONFUSED = alike<MeshTarget>('an identity is one name, as the definition writes it', 'no answer', [
  [
    'two names, of order and of paybill',
    revealedAs(`DNS:${ORDER}`, `DNS:${PAYBILL}`),
    '403 ERR_IDENTITY_UNKNOWN',
  ],
  [
    "order's name, and a URI that is paybill's",
    revealedAs(`DNS:${ORDER}`, `URI:${PAYBILL}`),
    '403 ERR_OPERATION_DENIED',
  ],
  [
    "order's name, and a SPIFFE ID of paybill's",
    revealedAs(`DNS:${ORDER}`, `URI:spiffe://tokenmesh/${PAYBILL}`),
    '403 ERR_MESH_DENIED',
  ],
  [
    "order's name, and paybill's as an e-mail address",
    revealedAs(`DNS:${ORDER}`, `email:x@${PAYBILL}`),
    '403 ERR_MESH_DENIED',
  ],
  ["paybill's name in capitals", revealedAs(`DNS:${PAYBILL.toUpperCase()}`), '403 ERR_MESH_DENIED'],
  ['a wildcard', revealedAs('DNS:*.tokenmesh.internal'), '403 ERR_MESH_DENIED'],
]);

export const API_ATTACKS: readonly Attack<MeshTarget>[] = [
  ...SHAPES,
  ...DIGITS,
  ...DUPLICATES,
  ...TENANTS,
  ...PURPOSES,
  ...ENUMERATION,
];

export const IDENTITY_ATTACKS: readonly Attack<MeshTarget>[] = CONFUSED;

function withDigits(text: string, zero: number): string {
  return text.replaceAll(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
}

async function guess(state: RunState): ReturnType<typeof callTokenizerAs> {
  const items = Array.from({ length: AT_ONCE }, () => ({ token: unknownToken() }));
  return await callTokenizerAs(state, 'paybill', 'POST', '/v1/detokenize/batch', JSON.stringify({ items }));
}

async function guessedWithoutEnd({ state }: MeshTarget): Promise<string> {
  for (let guesses = 0; guesses < GUESSES_AT_MOST; guesses += AT_ONCE) {
    const { status, document } = await guess(state);
    if (status !== 200) {
      return `${status} ${String(document['code'])} within ${GUESSES_AT_MOST} guesses`;
    }
  }
  return 'never refused';
}

async function guessed({ state }: MeshTarget): Promise<string> {
  const { document } = await guess(state);
  const answers = new Set((document['results'] as object[]).map((each) => JSON.stringify(each)));
  const codes = [...answers].map((answer) => /ERR_\w+/.exec(answer)?.[0]);
  return `${answers.size} answer: ${codes.join()}`;
}

async function guessedWithoutRight({ state, token }: MeshTarget): Promise<string> {
  const answers = await Promise.all(
    [token, unknownToken()].map(
      async (each) => await callTokenizerAs(state, 'order', 'POST', '/v1/detokenize', revealing(each)),
    ),
  );
  const [known, unknown] = answers.map((answer) => JSON.stringify(answer));
  const [first] = answers;
  return `${known === unknown ? 'the same' : 'not the same'}: ${first?.status} ${String(first?.document['code'])}`;
}

/** With a certificate that the mesh's own CA issues for whatever names it is asked for. */
function asIssued(names: readonly string[], bytes: (target: MeshTarget) => string): Attempt<MeshTarget> {
  return async (target) =>
    await bytesWith(target, await issuedFor(target, names), Buffer.from(bytes(target), 'latin1'));
}

async function issuedFor({ state }: MeshTarget, names: readonly string[]): Promise<Shown> {
  const authority = state.cas.find(({ name }) => name === 'clients-issuing');
  const { acmPca } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-attack-'));
  try {
    const { certificate, chain } = await issue(acmPca, {
      CertificateAuthorityArn: authority?.arn,
      Csr: await createCsr(directory, 'attacker', names.join(',')),
      Validity: { Type: 'DAYS', Value: 1 },
    });
    const key = readFileSync(join(directory, 'attacker.csr.key'), 'utf8');
    return { cert: `${certificate.trim()}\n${chain.trim()}\n`, key };
  } finally {
    rmSync(directory, { recursive: true, force: true });
    acmPca.destroy();
  }
}
