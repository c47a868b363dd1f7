import type { ListenerTls, Mesh, Operation } from './definition.ts';

/** Both sides prove themselves, and nothing else is taken. */
const STRICT_MTLS: ListenerTls = { mode: 'STRICT', clientValidation: { trust: 'clients' } };

/** An order, a payment: one document. */
const SMALL_BODY_BYTES = 65_536;

/** A batch of a thousand records. */
const BATCH_BODY_BYTES = 8_388_608;

/** What every node answers to any other: is it there, and is it ready. */
const HEALTH: readonly Operation[] = [
  { name: 'health', method: 'GET', path: '/healthz', callers: 'mesh' },
  { name: 'readiness', method: 'GET', path: '/readyz', callers: 'mesh' },
];

const PAYMENT_CLASSES = ['pan', 'expiry', 'cvv', 'name', 'email', 'phone', 'address', 'iban', 'ip', 'ssn'];

/**
 * The mesh of this product, said once: who listens, who calls whom, who may do what.
 *
 * The gateway is the only way in from outside; its own listener is one-way TLS.
 * Every edge inside is mTLS. The outsider is a node like the others, with a
 * certificate of its own and not one right.
 */
export const tokenizationMesh: Mesh = {
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
  virtualGateways: {
    gateway: {
      listener: {
        port: 8443,
        protocol: 'http2',
        tls: { mode: 'STRICT' },
        maxRequestBytes: SMALL_BODY_BYTES,
        operations: [
          {
            name: 'orders.place',
            method: 'POST',
            path: '/orders',
            callers: 'anyone',
            virtualService: 'order',
            scope: 'orders.write',
          },
          {
            name: 'orders.read',
            method: 'GET',
            path: '/orders/{orderId}',
            callers: 'anyone',
            virtualService: 'order',
            scope: 'orders.read',
          },
          {
            name: 'payments.make',
            method: 'POST',
            path: '/payments',
            callers: 'anyone',
            virtualService: 'paybill',
            scope: 'payments.write',
          },
        ],
      },
      backends: [
        { virtualService: 'order', clientPolicy: { tls: 'mtls' } },
        { virtualService: 'paybill', clientPolicy: { tls: 'mtls' } },
      ],
      authentication: { resourceServer: 'tokenmesh', keySeconds: 60 },
      rates: { all: { perSecond: 1_000, burst: 2_000 }, caller: { perSecond: 200, burst: 400 } },
      crossOrigin: { origins: ['https://shop.example'], maxAgeSeconds: 600 },
    },
  },
  virtualNodes: {
    order: {
      listener: {
        port: 8444,
        protocol: 'http2',
        tls: STRICT_MTLS,
        maxRequestBytes: SMALL_BODY_BYTES,
        operations: [
          ...HEALTH,
          { name: 'orders.place', method: 'POST', path: '/orders', callers: ['gateway'] },
          { name: 'orders.read', method: 'GET', path: '/orders/{orderId}', callers: ['gateway'] },
        ],
      },
      backends: [{ virtualService: 'tokenizer', clientPolicy: { tls: 'mtls' } }],
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
      listener: {
        port: 8445,
        protocol: 'http2',
        tls: STRICT_MTLS,
        maxRequestBytes: SMALL_BODY_BYTES,
        operations: [
          ...HEALTH,
          { name: 'payments.make', method: 'POST', path: '/payments', callers: ['gateway'] },
        ],
      },
      backends: [
        { virtualService: 'tokenizer', clientPolicy: { tls: 'mtls' } },
        { virtualService: 'processor', clientPolicy: { tls: 'one-way' } },
      ],
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
    outsider: {
      listener: {
        port: 8446,
        protocol: 'http2',
        tls: STRICT_MTLS,
        maxRequestBytes: SMALL_BODY_BYTES,
        operations: HEALTH,
      },
      backends: [
        { virtualService: 'tokenizer', clientPolicy: { tls: 'mtls' } },
        { virtualService: 'order', clientPolicy: { tls: 'mtls' } },
        { virtualService: 'paybill', clientPolicy: { tls: 'mtls' } },
      ],
    },
    tokenizer: {
      listener: {
        port: 8447,
        protocol: 'http2',
        tls: STRICT_MTLS,
        maxRequestBytes: BATCH_BODY_BYTES,
        operations: [
          ...HEALTH,
          { name: 'openapi', method: 'GET', path: '/openapi.json', callers: 'mesh' },
          { name: 'tokens.create', method: 'POST', path: '/v1/tokens', callers: ['order'] },
          {
            name: 'tokens.create-batch',
            method: 'POST',
            path: '/v1/tokens/batch',
            callers: ['order', 'bulk'],
          },
          { name: 'tokens.read', method: 'GET', path: '/v1/tokens/{token}', callers: ['order', 'paybill'] },
          { name: 'tokens.delete', method: 'DELETE', path: '/v1/tokens/{token}', callers: ['order'] },
          { name: 'tokens.replace', method: 'PUT', path: '/v1/tokens/{token}', callers: ['order'] },
          {
            name: 'tokens.archive',
            method: 'POST',
            path: '/v1/tokens/{token}/archive',
            callers: ['order'],
          },
          {
            name: 'tokens.restore',
            method: 'POST',
            path: '/v1/tokens/{token}/restore',
            callers: ['order'],
          },
          {
            name: 'tokens.validate',
            method: 'POST',
            path: '/v1/tokens/validate',
            callers: ['order', 'paybill'],
          },
          { name: 'values.search', method: 'POST', path: '/v1/values/search', callers: ['order'] },
          { name: 'values.tokenized', method: 'POST', path: '/v1/values/tokenized', callers: ['order'] },
          { name: 'references.put', method: 'PUT', path: '/v1/references/{reference}', callers: ['order'] },
          { name: 'detokenize', method: 'POST', path: '/v1/detokenize', callers: ['paybill'] },
          { name: 'detokenize-batch', method: 'POST', path: '/v1/detokenize/batch', callers: ['paybill'] },
          { name: 'text.tokenize', method: 'POST', path: '/v1/text/tokenize', callers: ['order'] },
          { name: 'text.detokenize', method: 'POST', path: '/v1/text/detokenize', callers: ['paybill'] },
        ],
      },
      backends: [],
    },
  },
  functions: {
    bulk: {
      backends: ['tokenizer'],
      vaultAccess: { tenants: ['shop'], grants: [{ operation: 'tokenize', classes: '*' }] },
    },
  },
  virtualServices: {
    order: { provider: 'order' },
    paybill: { provider: 'paybill' },
    tokenizer: { provider: 'tokenizer' },
  },
  externalServices: {
    processor: { hostname: 'processor.example' },
  },
};
