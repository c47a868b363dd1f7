/**
 * Every identity with every operation, class, purpose and tenant, against a table that was written by
 * hand: what is not in it is denied, and with which code.
 *
 * @module
 */

import { describe, expect, it } from '@jest/globals';
import { createCedarPolicy } from '../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import {
  shippedPolicy,
  startTokenizerUnderTest,
  type TokenizerUnderTest,
} from '../../../support/tokenizer-under-test.ts';

const IDENTITIES = ['gateway', 'order', 'paybill', 'outsider', 'tokenizer', 'stranger'] as const;
const OPERATIONS = [
  'tokenize',
  'detokenize',
  'read-metadata',
  'delete',
  'archive',
  'search',
  'check-value',
  'check-token',
] as const;
const CLASSES = [
  'pan',
  'expiry',
  'cvv',
  'name',
  'email',
  'phone',
  'address',
  'text',
  'iban',
  'ip',
  'ssn',
] as const;
const PURPOSES = ['none', 'payment', 'curiosity'] as const;
const TENANTS = ['shop', 'bank'] as const;

const VALUES: Readonly<Record<(typeof CLASSES)[number], string>> = {
  pan: '4111111111111111',
  expiry: '12/29',
  name: 'Joe Bloggs',
  email: 'joe@example.com',
  phone: '+44 20 7946 0018',
  address: '1 High Street',
  text: 'call first',
  cvv: '123',
  iban: 'GB82WEST12345698765432',
  ip: '192.0.2.7',
  ssn: '078-05-1120',
};

/**
 * What order and paybill get in their own tenant, `shop`. A reveal by paybill that states no purpose is
 * for payment, its default. An operation other than a reveal has no purpose, so it is one for all three.
 */
const EXPECTED = `
identity operation     class   none     payment  curiosity
order    tokenize      pan     201      201      201
order    tokenize      expiry  201      201      201
order    tokenize      cvv     201      201      201
order    tokenize      name    201      201      201
order    tokenize      email   201      201      201
order    tokenize      phone   201      201      201
order    tokenize      address 201      201      201
order    tokenize      text    201      201      201
order    tokenize      iban    201      201      201
order    tokenize      ip      201      201      201
order    tokenize      ssn     201      201      201
order    detokenize    pan     NO-OP    NO-OP    NO-OP
order    detokenize    expiry  NO-OP    NO-OP    NO-OP
order    detokenize    cvv     NO-OP    NO-OP    NO-OP
order    detokenize    name    NO-OP    NO-OP    NO-OP
order    detokenize    email   NO-OP    NO-OP    NO-OP
order    detokenize    phone   NO-OP    NO-OP    NO-OP
order    detokenize    address NO-OP    NO-OP    NO-OP
order    detokenize    text    NO-OP    NO-OP    NO-OP
order    detokenize    iban    NO-OP    NO-OP    NO-OP
order    detokenize    ip      NO-OP    NO-OP    NO-OP
order    detokenize    ssn     NO-OP    NO-OP    NO-OP
order    read-metadata pan     200      200      200
order    read-metadata expiry  200      200      200
order    read-metadata cvv     200      200      200
order    read-metadata name    200      200      200
order    read-metadata email   200      200      200
order    read-metadata phone   200      200      200
order    read-metadata address 200      200      200
order    read-metadata text    200      200      200
order    read-metadata iban    200      200      200
order    read-metadata ip      200      200      200
order    read-metadata ssn     200      200      200
order    delete        pan     204      204      204
order    delete        expiry  204      204      204
order    delete        cvv     204      204      204
order    delete        name    204      204      204
order    delete        email   204      204      204
order    delete        phone   204      204      204
order    delete        address 204      204      204
order    delete        text    204      204      204
order    delete        iban    204      204      204
order    delete        ip      204      204      204
order    delete        ssn     204      204      204
order    archive       pan     200      200      200
order    archive       expiry  200      200      200
order    archive       cvv     200      200      200
order    archive       name    200      200      200
order    archive       email   200      200      200
order    archive       phone   200      200      200
order    archive       address 200      200      200
order    archive       text    200      200      200
order    archive       iban    200      200      200
order    archive       ip      200      200      200
order    archive       ssn     200      200      200
order    search        pan     200      200      200
order    search        expiry  200      200      200
order    search        cvv     200      200      200
order    search        name    200      200      200
order    search        email   200      200      200
order    search        phone   200      200      200
order    search        address 200      200      200
order    search        text    200      200      200
order    search        iban    200      200      200
order    search        ip      200      200      200
order    search        ssn     200      200      200
order    check-value   pan     200      200      200
order    check-value   expiry  200      200      200
order    check-value   cvv     200      200      200
order    check-value   name    200      200      200
order    check-value   email   200      200      200
order    check-value   phone   200      200      200
order    check-value   address 200      200      200
order    check-value   text    200      200      200
order    check-value   iban    200      200      200
order    check-value   ip      200      200      200
order    check-value   ssn     200      200      200
order    check-token   pan     200      200      200
order    check-token   expiry  200      200      200
order    check-token   cvv     200      200      200
order    check-token   name    200      200      200
order    check-token   email   200      200      200
order    check-token   phone   200      200      200
order    check-token   address 200      200      200
order    check-token   text    200      200      200
order    check-token   iban    200      200      200
order    check-token   ip      200      200      200
order    check-token   ssn     200      200      200
paybill  tokenize      pan     NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      expiry  NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      cvv     NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      name    NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      email   NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      phone   NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      address NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      text    NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      iban    NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      ip      NO-CLASS NO-CLASS NO-CLASS
paybill  tokenize      ssn     NO-CLASS NO-CLASS NO-CLASS
paybill  detokenize    pan     plain    plain    masked
paybill  detokenize    expiry  plain    plain    masked
paybill  detokenize    cvv     plain    plain    masked
paybill  detokenize    name    plain    plain    masked
paybill  detokenize    email   plain    plain    masked
paybill  detokenize    phone   plain    plain    masked
paybill  detokenize    address plain    plain    NO-CLASS
paybill  detokenize    text    NO-CLASS NO-CLASS NO-CLASS
paybill  detokenize    iban    plain    plain    masked
paybill  detokenize    ip      plain    plain    masked
paybill  detokenize    ssn     plain    plain    masked
paybill  read-metadata pan     200      200      200
paybill  read-metadata expiry  200      200      200
paybill  read-metadata cvv     200      200      200
paybill  read-metadata name    200      200      200
paybill  read-metadata email   200      200      200
paybill  read-metadata phone   200      200      200
paybill  read-metadata address 200      200      200
paybill  read-metadata text    200      200      200
paybill  read-metadata iban    200      200      200
paybill  read-metadata ip      200      200      200
paybill  read-metadata ssn     200      200      200
paybill  delete        pan     NO-OP    NO-OP    NO-OP
paybill  delete        expiry  NO-OP    NO-OP    NO-OP
paybill  delete        cvv     NO-OP    NO-OP    NO-OP
paybill  delete        name    NO-OP    NO-OP    NO-OP
paybill  delete        email   NO-OP    NO-OP    NO-OP
paybill  delete        phone   NO-OP    NO-OP    NO-OP
paybill  delete        address NO-OP    NO-OP    NO-OP
paybill  delete        text    NO-OP    NO-OP    NO-OP
paybill  delete        iban    NO-OP    NO-OP    NO-OP
paybill  delete        ip      NO-OP    NO-OP    NO-OP
paybill  delete        ssn     NO-OP    NO-OP    NO-OP
paybill  archive       pan     NO-OP    NO-OP    NO-OP
paybill  archive       expiry  NO-OP    NO-OP    NO-OP
paybill  archive       cvv     NO-OP    NO-OP    NO-OP
paybill  archive       name    NO-OP    NO-OP    NO-OP
paybill  archive       email   NO-OP    NO-OP    NO-OP
paybill  archive       phone   NO-OP    NO-OP    NO-OP
paybill  archive       address NO-OP    NO-OP    NO-OP
paybill  archive       text    NO-OP    NO-OP    NO-OP
paybill  archive       iban    NO-OP    NO-OP    NO-OP
paybill  archive       ip      NO-OP    NO-OP    NO-OP
paybill  archive       ssn     NO-OP    NO-OP    NO-OP
paybill  search        pan     NO-OP    NO-OP    NO-OP
paybill  search        expiry  NO-OP    NO-OP    NO-OP
paybill  search        cvv     NO-OP    NO-OP    NO-OP
paybill  search        name    NO-OP    NO-OP    NO-OP
paybill  search        email   NO-OP    NO-OP    NO-OP
paybill  search        phone   NO-OP    NO-OP    NO-OP
paybill  search        address NO-OP    NO-OP    NO-OP
paybill  search        text    NO-OP    NO-OP    NO-OP
paybill  search        iban    NO-OP    NO-OP    NO-OP
paybill  search        ip      NO-OP    NO-OP    NO-OP
paybill  search        ssn     NO-OP    NO-OP    NO-OP
paybill  check-value   pan     NO-OP    NO-OP    NO-OP
paybill  check-value   expiry  NO-OP    NO-OP    NO-OP
paybill  check-value   cvv     NO-OP    NO-OP    NO-OP
paybill  check-value   name    NO-OP    NO-OP    NO-OP
paybill  check-value   email   NO-OP    NO-OP    NO-OP
paybill  check-value   phone   NO-OP    NO-OP    NO-OP
paybill  check-value   address NO-OP    NO-OP    NO-OP
paybill  check-value   text    NO-OP    NO-OP    NO-OP
paybill  check-value   iban    NO-OP    NO-OP    NO-OP
paybill  check-value   ip      NO-OP    NO-OP    NO-OP
paybill  check-value   ssn     NO-OP    NO-OP    NO-OP
paybill  check-token   pan     200      200      200
paybill  check-token   expiry  200      200      200
paybill  check-token   cvv     200      200      200
paybill  check-token   name    200      200      200
paybill  check-token   email   200      200      200
paybill  check-token   phone   200      200      200
paybill  check-token   address 200      200      200
paybill  check-token   text    200      200      200
paybill  check-token   iban    200      200      200
paybill  check-token   ip      200      200      200
paybill  check-token   ssn     200      200      200
`;

const SHORT: Readonly<Record<string, string>> = {
  'NO-OP': 'ERR_OPERATION_DENIED',
  'NO-CLASS': 'ERR_CLASS_DENIED',
};

interface Cell {
  readonly identity: (typeof IDENTITIES)[number];
  readonly operation: (typeof OPERATIONS)[number];
  readonly fieldClass: (typeof CLASSES)[number];
  readonly purpose: (typeof PURPOSES)[number];
  readonly tenant: (typeof TENANTS)[number];
}

const CELLS: readonly Cell[] = IDENTITIES.flatMap((identity) =>
  OPERATIONS.flatMap((operation) =>
    CLASSES.flatMap((fieldClass) =>
      PURPOSES.flatMap((purpose) =>
        TENANTS.map((tenant) => ({ identity, operation, fieldClass, purpose, tenant })),
      ),
    ),
  ),
);

const nameOf = ({ identity, operation, fieldClass, purpose, tenant }: Cell): string =>
  `${identity} ${operation} ${fieldClass} ${purpose} ${tenant}`;

const TABLE: ReadonlyMap<string, string> = new Map(
  EXPECTED.trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ +/))
    .flatMap(([identity, operation, fieldClass, ...outcomes]) =>
      PURPOSES.map((purpose, index): [string, string] => [
        `${identity} ${operation} ${fieldClass} ${purpose} shop`,
        SHORT[outcomes[index] ?? ''] ?? outcomes[index] ?? '',
      ]),
    ),
);

/** What is not in the table is denied, for the first of these reasons. */
function expectedOf(cell: Cell): string {
  if (cell.identity === 'stranger') return 'ERR_IDENTITY_UNKNOWN';
  if (cell.identity !== 'order' && cell.identity !== 'paybill') return 'ERR_OPERATION_DENIED';
  if (cell.tenant === 'bank') return 'ERR_TENANT_DENIED';
  return TABLE.get(nameOf(cell)) ?? 'missing in the table';
}

/** One record of one field, stored by order: under the tenant that it may use, for lack of another. */
async function tokenOf(tokenizer: TokenizerUnderTest, { fieldClass }: Cell): Promise<string> {
  const fields = { it: { class: fieldClass, value: VALUES[fieldClass] } };
  const answer = await tokenizer.send('order', { url: '/v1/tokens', body: { fields } });
  return answer.json<{ token: string }>().token;
}

async function outcomeOf(tokenizer: TokenizerUnderTest, cell: Cell, token: string): Promise<string> {
  const { identity, operation, fieldClass, tenant } = cell;
  const purpose = cell.purpose === 'none' ? {} : { purpose: cell.purpose };
  const url = `/v1/tokens/${token}?tenant=${tenant}`;
  const fields = { it: { class: fieldClass, value: VALUES[fieldClass] } };
  const requests = {
    tokenize: { url: '/v1/tokens', body: { fields, tenant } },
    detokenize: { url: '/v1/detokenize', body: { token, tenant, fields: ['it'], ...purpose } },
    'read-metadata': { method: 'GET', url },
    delete: { method: 'DELETE', url },
    archive: { url: `/v1/tokens/${token}/archive?tenant=${tenant}` },
    search: { url: '/v1/values/search', body: { ...fields.it, tenant } },
    'check-value': { url: '/v1/values/tokenized', body: { ...fields.it, tenant } },
    'check-token': { url: '/v1/tokens/validate', body: { token, tenant } },
  } as const;
  const answer = await tokenizer.send(identity, requests[operation]);
  if (answer.statusCode >= 400) return answer.json<{ code: string }>().code;
  if (operation === 'check-token' && !answer.json<{ valid: boolean }>().valid)
    return 'not valid, which it is';
  if (operation !== 'detokenize') return String(answer.statusCode);
  const { it: field } = answer.json<{ fields: { it: { value: string; form: string } } }>().fields;
  const isWhole = field.value === VALUES[fieldClass];
  return isWhole === (field.form === 'plain') ? field.form : `${field.form}, which the value is not`;
}

async function walk(tokenizer: TokenizerUnderTest, tokens: Map<string, string>): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const cell of CELLS) {
    // A token that this takes away or changes is one of its own; so is a security code, which is read once.
    const isUsedUp = ['delete', 'archive'].includes(cell.operation) || cell.fieldClass === 'cvv';
    const needed = isUsedUp ? await tokenOf(tokenizer, cell) : tokens.get(cell.fieldClass);
    found.push([nameOf(cell), await outcomeOf(tokenizer, cell, needed ?? '')]);
  }
  return found;
}

async function storedBy(tokenizer: TokenizerUnderTest): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  for (const cell of CELLS.slice(0, CLASSES.length * 6)) {
    if (!tokens.has(cell.fieldClass)) tokens.set(cell.fieldClass, await tokenOf(tokenizer, cell));
  }
  return tokens;
}

describe('the deny matrix', () => {
  it('has 3,168 cells, and a line by hand for each class of order and paybill', () => {
    expect([CELLS.length, TABLE.size]).toEqual([3_168, 2 * 8 * 11 * 3]);
    expect([...TABLE.values()].filter((outcome) => !outcome.startsWith('ERR_'))).toHaveLength(
      11 * 3 * 4 + 10 * 3 - 1 + 11 * 3 + 11 * 3 * 4,
    );
  });

  it('is what the service answers, in every cell', async () => {
    const tokenizer = await startTokenizerUnderTest();
    const found = await walk(tokenizer, await storedBy(tokenizer));
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(CELLS.map((cell) => [nameOf(cell), expectedOf(cell)])),
    );
  });

  it('is denied in every cell once every policy is deleted', async () => {
    const policy = createCedarPolicy('');
    const shipped = await shippedPolicy();
    let deleted = false;
    const tokenizer = await startTokenizerUnderTest({
      policy: {
        decide: (request) => (deleted ? policy : shipped).decide(request),
        permits: (request) => (deleted ? policy : shipped).permits(request),
      },
    });
    const tokens = await storedBy(tokenizer);
    deleted = true;
    const found: [string, string][] = [];
    for (const cell of CELLS) {
      found.push([nameOf(cell), await outcomeOf(tokenizer, cell, tokens.get(cell.fieldClass) ?? '')]);
    }
    expect(found.filter(([, outcome]) => !/^ERR_\w+_(DENIED|UNKNOWN)$/.test(outcome))).toEqual([]);
    expect([...new Set(found.map(([, outcome]) => outcome))].toSorted()).toEqual([
      'ERR_CLASS_DENIED',
      'ERR_IDENTITY_UNKNOWN',
      'ERR_OPERATION_DENIED',
      'ERR_TENANT_DENIED',
    ]);
    expect([tokenizer.store.records.size, tokenizer.sealer.opened]).toEqual([CLASSES.length, 0]);
  });
});
