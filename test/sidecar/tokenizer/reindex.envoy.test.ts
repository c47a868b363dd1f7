/**
 * Records that are indexed anew by a task that is killed half-way: another process goes on with it.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readReindexProgress } from '../../../operator/fingerprint-rows.ts';
import {
  readFingerprintState,
  writeFingerprintState,
} from '../../../sidecar/tokenizer/adapters/fingerprint-state.ts';
import { createFingerprintVersion } from '../../../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import type { ReindexProgress } from '../../../sidecar/tokenizer/core/fingerprints/reindexing.ts';
import { PREPARE_DEADLINE_MS } from '../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../support/emulated-vault.ts';
import { startTokenizerProcess } from '../../support/tokenizer-process.ts';

const RECORDS = 1_000;
const DEADLINE_MS = 180_000;

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

async function until(isThere: (found: ReindexProgress) => boolean): Promise<ReindexProgress> {
  const table = { client: vault.dynamodb, tableName: vault.tokensTableName };
  for (;;) {
    const found = await readReindexProgress(table, 'shop');
    if (found !== undefined && isThere(found)) return found;
    await sleep(10);
  }
}

/** As the operator's command does it, without its waits: nobody writes meanwhile. */
async function askToIndex(): Promise<void> {
  const state = await readFingerprintState(vault, 'shop');
  if (state === undefined) throw new Error('expected a state');
  await createFingerprintVersion(vault, 'shop', 2);
  const both = { write: [1, 2], read: [2, 1], phase: 'indexing', revision: state.revision + 1 } as const;
  expect(await writeFingerprintState(vault, 'shop', both)).toBe(true);
}

async function rowsOfNewVersion(): Promise<number> {
  let rows = 0;
  const pages = paginateScan(
    { client: vault.dynamodb },
    {
      TableName: vault.fingerprintsTableName,
      FilterExpression: 'begins_with(pk, :new)',
      ExpressionAttributeValues: { ':new': { S: 'shop#2#' } },
    },
  );
  for await (const { Count } of pages) rows += Count ?? 0;
  return rows;
}

describe('records that are indexed anew', () => {
  it(
    'are all indexed, though the task that began was killed half-way',
    async () => {
      const first = await startTokenizerProcess(vault);
      const items = Array.from({ length: RECORDS }, (_, index) => ({
        fields: { it: { class: 'text', value: `note ${index}`, searchable: true } },
      }));
      expect((await first.send('order', 'POST', '/v1/tokens/batch', { items })).status).toBe(200);
      await askToIndex();
      const killedAt = await until(({ records }) => records > 0);
      await first.kill();
      expect([killedAt.isDone, killedAt.records < RECORDS]).toEqual([false, true]);
      const second = await startTokenizerProcess(vault);
      const finished = await until(({ isDone }) => isDone);
      // The table has rows that are no records; those before the place that was saved are counted once.
      expect([finished.version, finished.indexed]).toEqual([2, RECORDS]);
      expect(await rowsOfNewVersion()).toBe(RECORDS);
      expect(await second.stop()).toBe(0);
    },
    DEADLINE_MS,
  );
});
