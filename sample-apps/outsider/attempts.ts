/**
 * What a member of the mesh without a single right can try, as data.
 *
 * Its certificate is good, so it gets as far as HTTP on every listener; there
 * it must be refused, whatever it asks for and whoever it says it is.
 *
 * @module
 */

import { testCard } from '../test-cards.ts';

export interface Attempt {
  /** What is tried, for a person. */
  readonly what: string;
  readonly service: 'tokenizer' | 'order' | 'paybill';
  readonly method: string;
  /** Sent as it stands, but for `{token}`, `{orderId}` and `{reference}`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
}

/** Stand-ins in paths and bodies, so that an attempt can be made with a token that exists. */
export const TOKEN = '{token}';
export const ORDER_ID = '{orderId}';
export const REFERENCE = '{reference}';

const CARD = { number: testCard('visa', 16).number, expiry: '12/39', holder: 'A Stranger' };
const RECORD = { fields: { number: { class: 'pan', value: CARD.number } } };
const VALUE = { class: 'pan', value: CARD.number };
const REVEAL = { token: TOKEN, purpose: 'payment' };
const ORDER = {
  items: [{ sku: 'book', quantity: 1, unitPriceCents: 100 }],
  currency: 'USD',
  card: CARD,
};

type Short = [method: string, path: string, body?: unknown];

/** Every operation of the mesh that is not open to all of its members. */
const TOKENIZER_ROUTES: readonly Short[] = [
  ['POST', '/v1/tokens', RECORD],
  ['POST', '/v1/tokens/batch', { items: [RECORD] }],
  ['GET', '/v1/tokens/{token}'],
  ['DELETE', '/v1/tokens/{token}'],
  ['PUT', '/v1/tokens/{token}', RECORD],
  ['POST', '/v1/tokens/{token}/archive'],
  ['POST', '/v1/tokens/{token}/restore'],
  ['POST', '/v1/tokens/validate', { token: TOKEN }],
  ['POST', '/v1/values/search', VALUE],
  ['POST', '/v1/values/tokenized', VALUE],
  ['PUT', '/v1/references/{reference}', RECORD],
  ['POST', '/v1/detokenize', REVEAL],
  ['POST', '/v1/detokenize/batch', { items: [REVEAL] }],
  ['POST', '/v1/text/tokenize', { text: `card ${CARD.number}` }],
  ['POST', '/v1/text/detokenize', { text: TOKEN }],
  ['GET', '/metrics'],
];

const ROUTES: readonly Attempt[] = [
  ...TOKENIZER_ROUTES.map((route) => calling('tokenizer', route)),
  calling('order', ['POST', '/orders', ORDER]),
  calling('order', ['GET', '/orders/{orderId}']),
  calling('paybill', ['POST', '/payments', { orderId: ORDER_ID }]),
];

/** Ways to claim to be somebody else, or to have come from somewhere else. */
const SPOOFED_HEADERS: Readonly<Record<string, Attempt['headers'] & {}>> = {
  'the identity header of paybill': { 'x-tokenmesh-identity': 'paybill.tokenmesh.internal' },
  'the identity header of order, twice': {
    'x-tokenmesh-identity': ['order.tokenmesh.internal', 'paybill.tokenmesh.internal'],
  },
  'a forwarded client certificate': {
    'x-forwarded-client-cert':
      'By=tokenizer.tokenmesh.internal;Subject="CN=paybill";DNS=paybill.tokenmesh.internal',
  },
  'an identity header with an underscore': { x_tokenmesh_identity: 'paybill.tokenmesh.internal' },
  'a forwarded address of this machine': { 'x-forwarded-for': '127.0.0.1', 'x-envoy-internal': 'true' },
  'an original path that is open to all': {
    'x-envoy-original-path': '/healthz',
    'x-original-url': '/healthz',
  },
  'a bearer token': { authorization: 'Bearer paybill' },
};

const OVERRIDDEN_METHODS: Readonly<Record<string, Attempt['headers'] & {}>> = {
  'a method override header': { 'x-http-method-override': 'GET', 'x-method-override': 'GET' },
  'a method override header of the older form': { 'x-http-method': 'GET' },
};

/** Forms of a path that one party may read as open to all, and the next as the route itself. */
const ODD_PATHS: readonly string[] = [
  '/v1/tokens/../detokenize',
  '/v1/./detokenize',
  '//v1/detokenize',
  '/v1//detokenize',
  '/v1%2Fdetokenize',
  '/v1%2fdetokenize',
  '/v1%5Cdetokenize',
  '/v1\\detokenize',
  '/v1/detokenize/',
  '/v1/detokenize?',
  '/v1/detokenize?path=/healthz',
  '/v1/detokenize;/healthz',
  '/v1/%64etokenize',
  '/V1/Detokenize',
  '/V1/DETOKENIZE',
  '/healthz/../v1/detokenize',
  '/healthz/%2e%2e/v1/detokenize',
  '/healthz/..%2Fv1/detokenize',
  '/healthz%00/v1/detokenize',
  '/openapi.json/../v1/detokenize',
  'http://tokenizer/v1/detokenize',
];

const OTHER_METHODS: readonly string[] = ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];

export const ATTEMPTS: readonly Attempt[] = [
  ...ROUTES,
  ...Object.entries(SPOOFED_HEADERS).map(([what, headers]) => ({ ...detokenizing(what), headers })),
  ...Object.entries(OVERRIDDEN_METHODS).map(([what, headers]) => ({ ...detokenizing(what), headers })),
  ...ODD_PATHS.map((path) => ({ ...detokenizing(`an odd form of the path: ${path}`), path })),
  ...OTHER_METHODS.map((method) => calling('tokenizer', [method, '/v1/detokenize'])),
];

function calling(service: Attempt['service'], [method, path, body]: Short): Attempt {
  const attempt = { what: `${method} ${path} of ${service}`, service, method, path };
  return body === undefined ? attempt : { ...attempt, body };
}

function detokenizing(what: string): Attempt {
  return { what, service: 'tokenizer', method: 'POST', path: '/v1/detokenize', body: REVEAL };
}
