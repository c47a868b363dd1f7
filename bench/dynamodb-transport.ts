/**
 * What one call to DynamoDB costs the process that makes it, by client: docs/decisions/0013-dynamodb-transport.md.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { variantsAt, type Variant } from './dynamodb-variants.ts';

const CONCURRENCY = 32;
const WARM_UP_CALLS = 500;
const CALLS = 1_500;
const ROUNDS = 3;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Answerer {
  readonly origin: string;
  readonly close: () => void;
}

async function startAnswerer(protocol: 'http' | 'https'): Promise<Answerer> {
  const script = new URL('dynamodb-answers.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, protocol], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port, certificate } = JSON.parse(line) as { port: number; certificate?: string };
  if (certificate !== undefined) setDefaultCACertificates([...getCACertificates(), certificate]);
  return { origin: `${protocol}://localhost:${port}`, close: () => void child.stdin.end() };
}

async function callMany({ call }: Variant, count: number): Promise<void> {
  let left = count;
  const callInTurn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, callInTurn));
}

async function cpuUsPerCall(variant: Variant): Promise<number> {
  const before = process.cpuUsage();
  await callMany(variant, CALLS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

/** The rounds take turns, so that what else the machine does falls on all alike. */
async function measure(variants: readonly Variant[]): Promise<number[]> {
  for (const variant of variants) await callMany(variant, WARM_UP_CALLS);
  const figures = variants.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, variant] of variants.entries()) figures[index]?.push(await cpuUsPerCall(variant));
  }
  return figures.map((each) => each.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN);
}

interface Figures {
  readonly records: number;
  readonly protocol: 'http' | 'https';
  readonly names: readonly string[];
  readonly cpuUs: readonly number[];
}

async function measureOver(protocol: 'http' | 'https', records: number): Promise<Figures> {
  const answerer = await startAnswerer(protocol);
  const variants = variantsAt(answerer.origin, records);
  try {
    return { records, protocol, names: variants.map(({ name }) => name), cpuUs: await measure(variants) };
  } finally {
    for (const variant of variants) await variant.close();
    answerer.close();
  }
}

/** Of the vault's client, against the SDK's. */
function shareOf({ cpuUs }: Figures): number {
  return (cpuUs.at(-1) ?? 0) / (cpuUs[0] ?? 0);
}

/** @returns Whether the vault's client costs a third of the SDK's or less, however it is measured. */
export async function run(): Promise<boolean> {
  const all: Figures[] = [];
  for (const protocol of ['http', 'https'] as const) {
    for (const records of [1, 25]) all.push(await measureOver(protocol, records));
  }
  print('| over | records in a call | client | us of CPU a call | a record |');
  print('|---|---|---|---|---|');
  for (const { protocol, records, names, cpuUs } of all) {
    for (const [index, name] of names.entries()) {
      const us = cpuUs[index] ?? 0;
      print(`| ${protocol} | ${records} | ${name} | ${us.toFixed(0)} | ${(us / records).toFixed(1)} |`);
    }
  }
  return all.every((figures) => shareOf(figures) <= 1 / 3);
}
