import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { tokensTable } from '../../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import type { TokenizeRequest } from '../../../sidecar/tokenizer/client/tokenizer.ts';
import { openAudit } from '../../../sidecar/tokenizer/open-audit.ts';
import { openVault, type OpenVault } from '../../../sidecar/tokenizer/open-vault.ts';
import type { CallerAccess, VaultFault, VaultOptions } from '../../../sidecar/tokenizer/vault-options.ts';
import { describeTokenizer } from '../../contracts/tokenizer.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../support/emulated-aws.ts';
import { startEmulatedVault, tableOf, type EmulatedVault } from '../../support/emulated-vault.ts';
import { PAN } from '../../support/vault-under-test.ts';

// Where a row differs, the audit is looked at again after four seconds.
jest.setTimeout(30_000);

const CARD = { fields: { number: { class: 'pan', value: PAN } } };

let aws: EmulatedVault;
let vault: OpenVault;

beforeAll(async () => {
  aws = await startEmulatedVault(['shop']);
  vault = openVault(options());
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await aws.stop();
});

function accessOf(node: string): CallerAccess {
  const access = tokenizationMesh.virtualNodes[node]?.vaultAccess;
  if (access === undefined) throw new Error('the shipped mesh has changed');
  return access;
}

function options(changed: Partial<VaultOptions> = {}): VaultOptions {
  const { kmsKeyArn, keysTableName, auditTableName, auditKeyId, tokensTableName, dynamodb, kms } = aws;
  return {
    ...{ kmsKeyArn, keysTableName, auditTableName, auditKeyId, tokensTableName },
    clients: { dynamodb, kms },
    callers: { order: accessOf('order'), paybill: accessOf('paybill') },
    ...changed,
  };
}

describeTokenizer('an opened vault over AWS', () => ({
  order: vault.as('order'),
  paybill: vault.as('paybill'),
}));

describe('an opened vault', () => {
  it('is ready where its tables and keys are, and not where a tenant has no key', async () => {
    await expect(vault.checkReady()).resolves.toBeUndefined();
    const callers = { bank: { ...accessOf('order'), tenants: ['bank'] } };
    const keyless = openVault(options({ callers, audit: 'off' }));
    await expect(keyless.checkReady()).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    await keyless.close();
  });

  it('replaces what is behind a pointer, and no other version than the one that is meant', async () => {
    const order = vault.as('order');
    const { token } = await order.tokenize({ ...CARD, kind: 'pointer' });
    expect(await order.replace({ token, fields: CARD.fields, version: 1 })).toEqual({ token, version: 2 });
    const stale = order.replace({ token, fields: CARD.fields, version: 1 });
    await expect(stale).rejects.toMatchObject({ code: 'ERR_VERSION_CONFLICT' });
    const invalid = order.replace({ token, fields: {} });
    await expect(invalid).rejects.toMatchObject({ code: 'ERR_REQUEST_INVALID' });
  });

  it.each<[string, TokenizeRequest]>([
    ['a token that follows from its value', { ...CARD, kind: 'deterministic' }],
    ['to be found by a value', { fields: { number: { ...CARD.fields.number, searchable: true } } }],
  ])('refuses %s, for which it has no keys', async (_what, request) => {
    const refused = vault.as('order').tokenize(request);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_KIND_UNSUPPORTED' });
  });

  it('takes a token out of use, and brings it back', async () => {
    const order = vault.as('order');
    const { token } = await order.tokenize(CARD);
    const { archivedAt } = await order.archive({ token });
    expect(await order.describe({ token })).toMatchObject({ archivedAt });
    const hidden = vault.as('paybill').detokenize({ token });
    await expect(hidden).rejects.toMatchObject({ code: 'ERR_TOKEN_ARCHIVED' });
    expect(await order.restore({ token })).toEqual({ token });
  });

  it('keeps to its clock, and to policies that forbid what a grant permits', async () => {
    const now = { at: new Date() };
    const text = `@id("night") forbid (principal == Identity::"paybill", action == Action::"reveal-plain", resource);`;
    const policies = [{ name: 'night', text }];
    const strict = openVault(options({ policies, now: () => now.at, audit: 'off' }));
    const { token } = await strict.as('order').tokenize({ ...CARD, ttlSeconds: 60 });
    const shown = await strict.as('paybill').detokenize({ token, purpose: 'payment' });
    expect(shown['number']?.form).toBe('masked');
    now.at = new Date(now.at.getTime() + 60_000);
    const late = strict.as('paybill').detokenize({ token });
    await expect(late).rejects.toMatchObject({ code: 'ERR_TOKEN_EXPIRED' });
    await strict.as('order').delete({ token });
    await strict.close();
  });

  it('hands out no token where the audit cannot be written, and tells which part failed', async () => {
    const faults: VaultFault[] = [];
    const unaudited = openVault(
      options({ auditTableName: 'tokenmesh-nowhere', onFault: (fault) => faults.push(fault) }),
    );
    const refused = unaudited.as('order').tokenize(CARD);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    expect(faults).toContainEqual({ part: 'audit', name: 'ResourceNotFoundException' });
    await unaudited.close();
  });
});

describe('the audit of an opened vault', () => {
  const TABLES = { tokensTableName: 'own-tokens', auditTableName: 'own-audit' };

  beforeAll(async () => {
    await aws.dynamodb.send(new CreateTableCommand(tokensTable(TABLES.tokensTableName)));
    await aws.dynamodb.send(tableOf(TABLES.auditTableName, 'pk', 'sk'));
  });

  const audit = () => openAudit({ ...TABLES, auditKeyId: aws.auditKeyId, clients: aws });

  it('has every item with the policies that decided, and the rows of the vault agree with it', async () => {
    const own = openVault(options({ ...TABLES, auditIdentity: 'cards' }));
    const order = own.as('order', { requestId: 'first' });
    const made = await order.tokenizeBatch([
      CARD,
      CARD,
      { fields: { number: { class: 'pan', value: '1' } } },
    ]);
    const [first] = made.flatMap((each) => ('result' in each ? [each.result] : []));
    await order.delete({ token: first?.token ?? '' });
    await own.close();
    const records = await audit().latest(10);
    expect(records.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'tokenize ok',
      'tokenize ok',
      'tokenize ERR_VALUE_INVALID',
      'delete begun',
      'delete ok',
    ]);
    expect(records[0]).toMatchObject({
      identity: 'order',
      requestId: 'first',
      policies: ['mesh.order.tokenize'],
    });
    expect(await audit().verify()).toMatchObject({
      ok: true,
      records: 5,
      unsealedSegments: 0,
      rows: { problems: [] },
    });
  });

  it('has what was swept, by whom', async () => {
    const clock = { at: new Date() };
    const own = openVault(options({ ...TABLES, auditIdentity: 'cards', now: () => clock.at }));
    const code = { fields: { ...CARD.fields, code: { class: 'cvv', value: '123' } }, ttlSeconds: 60 };
    const { token } = await own.as('order').tokenize(code);
    expect(await own.sweep()).toMatchObject({ items: 0 });
    clock.at = new Date(clock.at.getTime() + 120_000);
    expect(await own.sweep()).toMatchObject({ items: 2 });
    const gone = own.as('order').describe({ token });
    await expect(gone).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    await own.close();
    expect(await audit().latest(2)).toMatchObject([
      { operation: 'sweep', identity: 'cards', outcome: 'ok' },
      { operation: 'describe', identity: 'order', outcome: 'ERR_TOKEN_UNKNOWN' },
    ]);
    expect(await audit().verify()).toMatchObject({ ok: true, records: 8 });
  });

  it('is sealed to its first segment once that is awaited, though the process then stands still', async () => {
    const frozen = openVault(options(TABLES));
    await frozen.as('order').tokenize(CARD);
    await frozen.sealAudit();
    expect(await audit().verify()).toMatchObject({ ok: true, records: 9, unsealedSegments: 0 });
    await frozen.close();
  });

  it('finds what was done with the audit off: a row that came, and one that went', async () => {
    const recorded = openVault(options(TABLES));
    const { token } = await recorded.as('order').tokenize(CARD);
    await recorded.close();
    const silent = openVault(options({ ...TABLES, audit: 'off' }));
    await silent.as('order').tokenize(CARD);
    expect(await audit().verify()).toMatchObject({ ok: true, records: 10, rows: { unrecorded: 1 } });
    await silent.as('order').delete({ token });
    await silent.close();
    expect(await audit().verify()).toMatchObject({ ok: false, records: 10, problems: [] });
  });

  it('says that it is not available where nothing can be asked', async () => {
    const lost = openAudit({ ...TABLES, auditKeyId: 'alias/nowhere', clients: aws });
    await expect(lost.verify()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
  });
});
