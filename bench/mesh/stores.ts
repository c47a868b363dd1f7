/**
 * What the tokenizer stores in and gets its keys from: the stubs, each a process of its own, or a DynamoDB
 * that the user gives, with the same stub of KMS.
 *
 * @module
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';
import { createVaultResources, type VaultResources } from '../../local/aws/resources.ts';
import { freePort } from '../../local/free-port.ts';
import { requireEmptyAccount } from '../../local/given-parts.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import type { Group } from './workplace.ts';

export const REGION = 'us-east-1';
const READY_DEADLINE_MS = 10_000;

export interface TableCounts {
  readonly written: number;
  /** Of these, records of tokens. */
  readonly records: number;
  readonly read: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

export interface DynamodbCounts {
  readonly calls: Readonly<Record<string, number>>;
  readonly tables: Readonly<Record<string, TableCounts>>;
}

export interface KmsCounts {
  readonly calls: Readonly<Record<string, number>>;
  readonly dataKeyCallsAtMs: readonly number[];
}

export interface Kms {
  readonly url: string;
  readonly pid: number;
  counts(): Promise<KmsCounts>;
  /** Makes every call about a data key wait. */
  delay(ms: number): Promise<void>;
}

export interface Store extends VaultResources {
  readonly name: 'stub' | 'given';
  readonly url: string;
  readonly kms: Kms;
  /** Where it is a process of the bench's own. */
  readonly pid?: number;
  counts(): Promise<DynamodbCounts | undefined>;
  stop(): Promise<void>;
}

async function startKms(group: Group): Promise<Kms> {
  const { url, pid } = await startStub(group, 'the stub of KMS', 'stub-kms.ts');
  return {
    url,
    pid,
    counts: async () => (await ask(url, 'Counts')) as KmsCounts,
    delay: async (ms) => void (await ask(url, 'Delay', { ms })),
  };
}

/** For one target alone, so that what is counted is that target's. */
export async function startStubStore(group: Group, mesh: Mesh): Promise<Store> {
  const kms = await startKms(group);
  const { url, pid } = await startStub(group, 'the stub of DynamoDB', 'stub-dynamodb.ts');
  const made = await makeResources(url, kms, mesh);
  return {
    ...made,
    name: 'stub',
    url,
    kms,
    pid,
    counts: async () => (await ask(url, 'Counts')) as DynamodbCounts,
    stop: async () => await group.stop(),
  };
}

/** @throws {TokenmeshError} `ERR_AWS_UNREACHABLE`, `ERR_AWS_NOT_EMPTY` */
export async function useGivenStore(group: Group, url: string, mesh: Mesh): Promise<Store> {
  await requireEmptyAccount(emulatorClients(url, REGION), url, '--dynamodb-url');
  const kms = await startKms(group);
  const made = await makeResources(url, kms, mesh);
  return {
    ...made,
    name: 'given',
    url,
    kms,
    counts: async () => undefined,
    stop: async () => await group.stop(),
  };
}

async function makeResources(url: string, kms: Kms, mesh: Mesh): Promise<VaultResources> {
  const { dynamodb } = emulatorClients(url, REGION);
  const clients = { ...emulatorClients(kms.url, REGION), dynamodb };
  return await createVaultResources(clients, mesh);
}

async function startStub(
  { processes }: Group,
  name: string,
  file: string,
): Promise<{ readonly url: string; readonly pid: number }> {
  const port = await freePort();
  const pid = processes.start({
    name,
    command: process.execPath,
    arguments: [join(import.meta.dirname, '..', file)],
    environment: { STUB_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + READY_DEADLINE_MS;
  while (performance.now() < deadline) {
    const isReady = await ask(url, 'Counts').then(
      () => true,
      () => false,
    );
    if (isReady) return { url, pid };
    await sleep(20);
  }
  throw new TokenmeshError({
    code: 'ERR_BENCH_NOT_READY',
    message: `${name} is not ready: expected an answer within ${READY_DEADLINE_MS / 1_000} s, got none`,
    remedy: 'run the bench again on a machine that does nothing else',
  });
}

async function ask(url: string, operation: string, body: object = {}): Promise<unknown> {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'x-amz-target': `Bench.${operation}` },
    body: JSON.stringify(body),
  });
  return await answer.body.json();
}
