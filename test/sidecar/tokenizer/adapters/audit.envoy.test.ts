import { paginateScan } from '@aws-sdk/client-dynamodb';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { createDynamodbAuditLog } from '../../../../sidecar/tokenizer/adapters/dynamodb-audit-log.ts';
import { createDynamodbAuditReader } from '../../../../sidecar/tokenizer/adapters/dynamodb-audit-reader.ts';
import { createKmsAuditMac } from '../../../../sidecar/tokenizer/adapters/kms-audit-mac.ts';
import {
  verifyAudit,
  type AuditVerification,
} from '../../../../sidecar/tokenizer/core/audit/verify-audit.ts';
import {
  describeAuditLog,
  describeAuditLogDown,
  describeAuditMac,
  newWriter,
  sampleSegments,
} from '../../../contracts/audit-log.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';
import { startTokenizerProcess } from '../../../support/tokenizer-process.ts';

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

const tables = () => ({ client: vault.dynamodb, ...vault });
const mac = () => createKmsAuditMac(vault);

/** Nobody listens there: every connection is refused at once. */
const DOWN = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
};

describeAuditLog('DynamoDB', () => ({
  log: createDynamodbAuditLog(tables()),
  reader: createDynamodbAuditReader(tables()),
}));
describeAuditLogDown('DynamoDB', () => {
  const { dynamodb: client } = createAwsClients(DOWN);
  return createDynamodbAuditLog({ client, auditTableName: 'any', tokensTableName: 'any' });
});
describeAuditMac('KMS', mac);

describe('the audit log on DynamoDB', () => {
  it('gives back more than one page of rows', async () => {
    const writer = newWriter();
    const log = createDynamodbAuditLog(tables());
    const large = sampleSegments(writer, 6).map((segment) => ({ ...segment, body: 'x'.repeat(300_000) }));
    for (const segment of large) await log.append(segment);
    let rows = 0;
    for await (const { body } of createDynamodbAuditReader(tables()).segments(writer)) rows += body.length;
    expect(rows).toBe(1_800_000);
  });

  it('is not reachable where its table is missing', async () => {
    const log = createDynamodbAuditLog({ ...tables(), auditTableName: 'tokenmesh-nowhere' });
    await expect(log.checkReachable()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
  });
});

describe('the audit MAC of KMS', () => {
  it('says that it is not available while KMS refuses, not that a MAC is wrong', async () => {
    const made = await mac().macOf(Buffer.from('message'));
    await vault.kms.send(new DisableKeyCommand({ KeyId: vault.auditKeyId }));
    try {
      const unavailable = { code: 'ERR_AUDIT_UNAVAILABLE' };
      await expect(mac().macOf(Buffer.from('message'))).rejects.toMatchObject(unavailable);
      await expect(mac().isMacOf(Buffer.from('message'), made)).rejects.toMatchObject(unavailable);
    } finally {
      await vault.kms.send(new EnableKeyCommand({ KeyId: vault.auditKeyId }));
    }
  });
});

describe('the audit of a tokenizer process', () => {
  const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };

  async function verifyAlone(work: () => Promise<void>): Promise<AuditVerification> {
    const reader = createDynamodbAuditReader(tables());
    const before = new Set(await reader.writers());
    await work();
    const ours = {
      ...reader,
      writers: async () => (await reader.writers()).filter((each) => !before.has(each)),
    };
    return await verifyAudit({ reader: ours, mac: mac() });
  }

  it('is one chain, sealed to its end when the process stops', async () => {
    const verification = await verifyAlone(async () => {
      const tokenizer = await startTokenizerProcess(vault);
      const made = await Promise.all(
        Array.from({ length: 20 }, () => tokenizer.send('order', 'POST', '/v1/tokens', CARD)),
      );
      const items = made.map(({ body }) => ({ token: (body as { token: string }).token }));
      await tokenizer.send('paybill', 'POST', '/v1/detokenize/batch', { items });
      expect(await tokenizer.stop()).toBe(0);
    });
    expect(verification).toMatchObject({ ok: true, records: 40, unsealedSegments: 0, problems: [] });
    expect(verification.writers).toHaveLength(1);
    expect(verification.segments).toBeLessThan(21);
  });

  it('refuses everything with 503 while its table is missing, and is not ready', async () => {
    const tokenizer = await startTokenizerProcess(vault, { TOKENMESH_AUDIT_TABLE: 'tokenmesh-nowhere' });
    const refused = { status: 503, body: { code: 'ERR_AUDIT_UNAVAILABLE' }, headers: { 'retry-after': '1' } };
    expect(await tokenizer.send('order', 'POST', '/v1/tokens', CARD)).toMatchObject(refused);
    expect(await tokenizer.send('order', 'GET', '/readyz')).toMatchObject({ status: 503 });
    expect(tokenizer.log()).toContain('the audit could not be written');
    expect(tokenizer.log()).toContain('ResourceNotFoundException');
    await tokenizer.stop();
  });

  it('leaves neither a card number nor a whole token in its table', async () => {
    const tokenizer = await startTokenizerProcess(vault);
    const { body } = await tokenizer.send('order', 'POST', '/v1/tokens', CARD);
    const { token } = body as { token: string };
    await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token });
    await tokenizer.send('paybill', 'POST', '/v1/detokenize', {
      token: '4111111111111111',
      purpose: '4111111111111111',
    });
    await tokenizer.stop();
    let text = '';
    for await (const { Items } of paginateScan(
      { client: vault.dynamodb },
      { TableName: vault.auditTableName },
    )) {
      text += JSON.stringify(Items);
    }
    expect(text).toContain('ERR_TOKEN_MALFORMED');
    expect(text).not.toContain('411111');
    expect(text).not.toContain(token.slice(4, 24));
  });
});
