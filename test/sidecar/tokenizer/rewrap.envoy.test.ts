/**
 * Records that are sealed anew by a task that is killed half-way: another process goes on with it, and the
 * audit knows of every row what it is.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emulatorClients } from '../../../operator/aws-clients.ts';
import { findBranchKey, rotateBranchKey } from '../../../sidecar/tokenizer/adapters/branch-key-versions.ts';
import { createDynamodbAuditReader } from '../../../sidecar/tokenizer/adapters/dynamodb-audit-reader.ts';
import {
  createDynamodbRewrapAsks,
  readRewrapProgress,
} from '../../../sidecar/tokenizer/adapters/dynamodb-rewrap-asks.ts';
import { createDynamodbRowReader } from '../../../sidecar/tokenizer/adapters/dynamodb-row-reader.ts';
import { sealedRowsOf } from '../../../sidecar/tokenizer/adapters/dynamodb-sealed-rows.ts';
import { createKmsAuditMac } from '../../../sidecar/tokenizer/adapters/kms-audit-mac.ts';
import { verifyAudit } from '../../../sidecar/tokenizer/core/audit/verify-audit.ts';
import { takeCensus } from '../../../sidecar/tokenizer/core/rewrapping/census.ts';
import type { RewrapProgress } from '../../../sidecar/tokenizer/core/rewrapping/progress.ts';
import { PREPARE_DEADLINE_MS } from '../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../support/emulated-vault.ts';
import { startTokenizerProcess, type TokenizerProcess } from '../../support/tokenizer-process.ts';

const RECORDS = 1_000;
const PAN = '4111111111111111';
const DEADLINE_MS = 180_000;
/** Every task has heard of a rotation by then. */
const HEARD_MS = 6_000;

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  // Those too that a test which failed left.
  await Promise.allSettled(processes.map((each) => each.kill()));
  await vault.stop();
});

const processes: TokenizerProcess[] = [];

async function startProcess(): Promise<TokenizerProcess> {
  const started = await startTokenizerProcess(vault);
  processes.push(started);
  return started;
}

/** As an operator's, without the short deadlines of the service: the emulator has much to do. */
const clients = () => emulatorClients(vault.aws.endpointUrl, vault.aws.clientConfig.region);
const table = () => ({ client: clients().dynamodb, tableName: vault.tokensTableName });

async function until(isThere: (found: RewrapProgress) => boolean): Promise<RewrapProgress> {
  const tokens = table();
  for (;;) {
    const found = await readRewrapProgress(tokens, 'shop');
    if (found !== undefined && isThere(found)) return found;
    await sleep(50);
  }
}

/** As the operator's command does it. */
async function rotateAndAsk(): Promise<void> {
  expect(await rotateBranchKey({ ...vault, ...clients() }, { tenant: 'shop' })).toBe('rotated');
  const startAt = new Date(Date.now() + HEARD_MS);
  await createDynamodbRewrapAsks(table()).put('shop', { id: 'first', perSecond: 500, startAt });
}

async function messagesByVersion(): Promise<(number | undefined)[]> {
  const census = await takeCensus(sealedRowsOf(table(), 'shop'), new Date());
  const versions = (await findBranchKey(vault, { tenant: 'shop' }))?.versions ?? [];
  return versions.map(({ version }) => census.messages.get('shop')?.get(version));
}

async function audited() {
  return await verifyAudit({
    reader: createDynamodbAuditReader({ ...vault, client: clients().dynamodb }),
    mac: createKmsAuditMac(vault),
    vault: {
      rows: createDynamodbRowReader(table()),
      now: () => new Date(),
      settle: () => sleep(4_000),
    },
  });
}

describe('records that are sealed anew', () => {
  it(
    'are all sealed anew, though the task that began was killed half-way',
    async () => {
      const first = await startProcess();
      const items = Array.from({ length: RECORDS }, () => ({
        fields: { card: { class: 'pan', value: PAN } },
      }));
      const made = await first.send('order', 'POST', '/v1/tokens/batch', { items });
      expect(made.status).toBe(200);
      expect(await messagesByVersion()).toEqual([RECORDS]);
      await rotateAndAsk();
      const killedAt = await until(({ records }) => records > 0);
      await first.kill();
      expect([killedAt.isDone, killedAt.records < RECORDS]).toEqual([false, true]);
      const second = await startProcess();
      const finished = await until(({ isDone }) => isDone);
      expect(finished).toMatchObject({ ask: 'first', records: RECORDS, current: 0, overtaken: 0 });
      expect(await messagesByVersion()).toEqual([RECORDS, undefined]);
      const { results } = made.body as { results: { token: string }[] };
      const [{ token } = { token: '' }] = results.slice(-1);
      const revealed = await second.send('paybill', 'POST', '/v1/detokenize', { token, purpose: 'payment' });
      expect([revealed.status, revealed.text]).toEqual([200, expect.stringContaining(PAN)]);
      expect(await second.stop()).toBe(0);
      expect(await audited()).toMatchObject({ ok: true, rows: { problems: [] } });
    },
    DEADLINE_MS,
  );
});
