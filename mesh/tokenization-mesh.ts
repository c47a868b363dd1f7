import { composeMesh } from './compose.ts';
import type { Mesh } from './definition.ts';
import type { MeshEntries } from './entries.ts';

/** A batch of a thousand records. */
const BATCH_BODY_BYTES = 8_388_608;

const PAYMENT_CLASSES = ['pan', 'expiry', 'cvv', 'name', 'email', 'phone', 'address', 'iban', 'ip', 'ssn'];

/**
 * The mesh of this product, said once: who listens, who calls whom, who may do what. A member is one entry:
 * `entries.ts` says what may stand in it.
 *
 * The gateway is the only way in from outside; its own listener is one-way TLS.
 * Every edge inside is mTLS. The outsider is a node like the others, with a
 * certificate of its own and not one right.
 */
export const tokenizationEntries: MeshEntries = {
  name: 'tokenmesh',
  maxConnectionDurationSeconds: 600,
  // A list is good for a week and written anew at half of that: two days late is for a person to look at.
  revocation: { afterNextUpdate: 'keep', alarmBeforeNextUpdateHours: 36 },
  requestTimeoutSeconds: 30,
  hierarchies: {
    clients: {
      rootCommonName: 'tokenmesh clients root',
      subordinateCommonName: 'tokenmesh clients issuing',
      rootValidityDays: 3650,
      subordinateValidityDays: 1825,
    },
    servers: {
      rootCommonName: 'tokenmesh servers root',
      subordinateCommonName: 'tokenmesh servers issuing',
      rootValidityDays: 3650,
      subordinateValidityDays: 1825,
    },
  },
  gateway: {
    port: 8443,
    authentication: { resourceServer: 'tokenmesh', keySeconds: 60 },
    rates: { all: { perSecond: 1_000, burst: 2_000 }, caller: { perSecond: 200, burst: 400 } },
    crossOrigin: { origins: ['https://shop.example'], maxAgeSeconds: 600 },
  },
  nodes: {
    order: {
      port: 8444,
      operations: [
        { name: 'orders.place', method: 'POST', path: '/orders', scope: 'orders.write' },
        { name: 'orders.read', method: 'GET', path: '/orders/{orderId}', scope: 'orders.read' },
      ],
      calls: {
        tokenizer: [
          'tokens.create',
          'tokens.create-batch',
          'tokens.read',
          'tokens.delete',
          'tokens.replace',
          'tokens.archive',
          'tokens.restore',
          'tokens.validate',
          'values.search',
          'values.tokenized',
          'references.put',
          'text.tokenize',
        ],
      },
      vaultAccess: {
        tenants: ['shop'],
        grants: [
          { operation: 'tokenize', classes: '*' },
          { operation: 'read-metadata', classes: '*' },
          { operation: 'delete', classes: '*' },
          { operation: 'archive', classes: '*' },
          { operation: 'search', classes: '*' },
          { operation: 'check-value', classes: '*' },
          { operation: 'check-token', classes: '*' },
        ],
      },
    },
    paybill: {
      port: 8445,
      operations: [{ name: 'payments.make', method: 'POST', path: '/payments', scope: 'payments.write' }],
      calls: {
        tokenizer: ['tokens.read', 'tokens.validate', 'detokenize', 'detokenize-batch', 'text.detokenize'],
      },
      callsOutside: ['processor'],
      vaultAccess: {
        tenants: ['shop'],
        defaultPurpose: 'payment',
        grants: [
          { operation: 'detokenize', classes: PAYMENT_CLASSES, plainFor: ['payment'] },
          { operation: 'detokenize', classes: ['ssn'], plainFor: ['identity-check'] },
          { operation: 'read-metadata', classes: '*' },
          { operation: 'check-token', classes: '*' },
        ],
      },
    },
    outsider: { port: 8446, calls: { tokenizer: [], order: [], paybill: [] } },
    tokenizer: {
      port: 8447,
      maxRequestBytes: BATCH_BODY_BYTES,
      operations: [
        { name: 'openapi', method: 'GET', path: '/openapi.json', callers: 'mesh' },
        { name: 'tokens.create', method: 'POST', path: '/v1/tokens' },
        { name: 'tokens.create-batch', method: 'POST', path: '/v1/tokens/batch' },
        { name: 'tokens.read', method: 'GET', path: '/v1/tokens/{token}' },
        { name: 'tokens.delete', method: 'DELETE', path: '/v1/tokens/{token}' },
        { name: 'tokens.replace', method: 'PUT', path: '/v1/tokens/{token}' },
        { name: 'tokens.archive', method: 'POST', path: '/v1/tokens/{token}/archive' },
        { name: 'tokens.restore', method: 'POST', path: '/v1/tokens/{token}/restore' },
        { name: 'tokens.validate', method: 'POST', path: '/v1/tokens/validate' },
        { name: 'values.search', method: 'POST', path: '/v1/values/search' },
        { name: 'values.tokenized', method: 'POST', path: '/v1/values/tokenized' },
        { name: 'references.put', method: 'PUT', path: '/v1/references/{reference}' },
        { name: 'detokenize', method: 'POST', path: '/v1/detokenize' },
        { name: 'detokenize-batch', method: 'POST', path: '/v1/detokenize/batch' },
        { name: 'text.tokenize', method: 'POST', path: '/v1/text/tokenize' },
        { name: 'text.detokenize', method: 'POST', path: '/v1/text/detokenize' },
      ],
    },
  },
  functions: {
    bulk: {
      calls: { tokenizer: ['tokens.create-batch'] },
      vaultAccess: { tenants: ['shop'], grants: [{ operation: 'tokenize', classes: '*' }] },
    },
  },
  externalServices: {
    processor: { hostname: 'processor.example' },
  },
};

export const tokenizationMesh: Mesh = composeMesh(tokenizationEntries);
