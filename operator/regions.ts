/**
 * `mesh regions`: how two regions stand to each other, and how far apart they are; and what happens where they are
 * parted or one is lost.
 *
 * @module
 */

import Table from 'cli-table3';
import { InvalidArgumentError, type Command } from 'commander';
import { Agent, request } from 'undici';
import { TokenmeshError, type ErrorCode } from '../errors/error.ts';
import { readHeartbeats } from '../sidecar/tokenizer/adapters/dynamodb-heartbeats.ts';
import type { Heartbeats } from '../sidecar/tokenizer/core/replication.ts';
import { emulatorClients } from './aws-clients.ts';
import { changeRegions, readRegions } from './regions/emulated-regions.ts';
import { placeOf, type RegionPlace, type RegionsState, type RunState } from './run-state.ts';

export interface RegionsCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

export interface RegionStatus extends Omit<RegionPlace, 'stateFile'> {
  readonly isLost: boolean;
  /** Writes of this region that have not arrived in the others. */
  readonly waiting: number;
  /** How long ago each other region wrote what arrived here last, by its code. */
  readonly lagSeconds: Readonly<Record<string, number>>;
}

export interface RegionsStatus {
  readonly delaySeconds: number;
  readonly isPartitioned: boolean;
  readonly regions: readonly RegionStatus[];
}

/** A region starts in about ten seconds, and on a busy machine in a minute. */
const RESTORE_DEADLINE_MS = 120_000;

export function addRegionsCommand(program: Command, { runningMesh, print }: RegionsCommandParts): void {
  const regions = program
    .command('regions')
    .description('the regions of a run with two: what arrives late, nothing at all, or from nobody')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: true }) => {
      const status = await regionsStatus(severalIn(runningMesh()), runningMesh());
      print(options.json === true ? JSON.stringify(status, null, 2) : report(status));
    });
  regions
    .command('delay')
    .description('rows arrive in the other region so much later')
    .argument('<duration>', 'such as 2s or 500ms', secondsOf)
    .action(async (delaySeconds: number) => {
      await change(runningMesh(), { delaySeconds });
      print(`rows travel ${delaySeconds} s`);
    });
  regions
    .command('partition')
    .description('rows stay in their region, until heal')
    .action(async () => {
      await change(runningMesh(), { isPartitioned: true });
      print('parted: rows wait in their region');
    });
  regions
    .command('heal')
    .description('rows travel again')
    .action(async () => {
      await change(runningMesh(), { isPartitioned: false });
      print('joined: rows travel');
    });
  addLossCommands(regions, runningMesh, print);
}

function addLossCommands(regions: Command, runningMesh: () => RunState, print: (text: string) => void): void {
  regions
    .command('lose')
    .description('kill the mesh of a region, whose AWS answers nobody from then on')
    .argument('<region>', 'such as us-east-1')
    .action(async (region: string) => {
      await tellRunner(runningMesh(), region, 'lose');
      print(`${region} is lost`);
    });
  regions
    .command('restore')
    .description('bring a lost region back, with the rows that it had')
    .argument('<region>', 'such as us-east-1')
    .action(async (region: string) => {
      await tellRunner(runningMesh(), region, 'restore');
      print(`${region} is back`);
    });
}

/** @throws {TokenmeshError} `ERR_ONE_REGION` */
export function severalIn(state: RunState): RegionsState {
  if (state.regions !== undefined) return state.regions;
  throw new TokenmeshError({
    code: 'ERR_ONE_REGION',
    message: 'the mesh that runs is in one region: expected a run with two',
    remedy: 'start it with: npm start -- --regions 2',
  });
}

async function change(state: RunState, settings: Parameters<typeof changeRegions>[1]): Promise<void> {
  severalIn(state);
  await changeRegions(state.aws.endpointUrl, settings);
}

/** @throws {TokenmeshError} `ERR_ONE_REGION`, `ERR_REGION_UNKNOWN`, and what the runner says */
export async function tellRunner(state: RunState, region: string, verb: 'lose' | 'restore'): Promise<void> {
  const { controlSocket } = severalIn(state);
  placeOf(state, region);
  const dispatcher = new Agent({
    connect: { socketPath: controlSocket },
    headersTimeout: RESTORE_DEADLINE_MS,
  });
  try {
    const { statusCode, body } = await request(`http://runner/regions/${region}/${verb}`, {
      dispatcher,
      method: 'POST',
    });
    if (statusCode === 204) return;
    const { code, detail, title, remedy } = (await body.json()) as Record<string, string | undefined>;
    throw new TokenmeshError({
      code: (code ?? 'ERR_INTERNAL') as ErrorCode,
      message: detail ?? title ?? `the runner answered ${statusCode}`,
      remedy: remedy ?? 'see what npm start printed',
    });
  } finally {
    await dispatcher.close();
  }
}

export async function regionsStatus(
  { places }: RegionsState,
  { aws, tables }: RunState,
): Promise<RegionsStatus> {
  const { delaySeconds, isPartitioned, lost, waiting } = await readRegions(aws.endpointUrl);
  const regions = await Promise.all(
    places.map(async ({ region, code }): Promise<RegionStatus> => {
      const isLost = lost.includes(region);
      const { dynamodb: client } = emulatorClients(aws.endpointUrl, region);
      const heartbeats = isLost ? new Map() : await readHeartbeats({ client, tableName: tables.tokens });
      client.destroy();
      const others = places.filter((place) => place.region !== region).map((place) => place.code);
      const lagSeconds = lagsIn(heartbeats, others, Date.now());
      return { region, code, isLost, waiting: waiting[region] ?? 0, lagSeconds };
    }),
  );
  return { delaySeconds, isPartitioned, regions };
}

function lagsIn(heartbeats: Heartbeats, codes: readonly string[], nowMs: number): Record<string, number> {
  const found = codes.flatMap((code) => {
    const at = heartbeats.get(code);
    return at === undefined ? [] : [[code, Math.max(0, nowMs - at.getTime()) / 1000] as const];
  });
  return Object.fromEntries(found);
}

function report({ delaySeconds, isPartitioned, regions }: RegionsStatus): string {
  const table = new Table({
    head: ['region', 'code', 'mesh', 'rows on their way', 'behind'],
    style: { head: [], border: [] },
  });
  for (const { region, code, isLost, waiting, lagSeconds } of regions) {
    const behind = Object.entries(lagSeconds).map(([other, lag]) => `${other} ${lag.toFixed(1)} s`);
    table.push([region, code, isLost ? 'lost' : 'up', waiting, behind.join(', ') || '-']);
  }
  const how = isPartitioned ? 'parted: rows wait in their region' : `joined: rows travel ${delaySeconds} s`;
  return `${table.toString()}\n${how}`;
}

const DURATION = /^(?<amount>\d{1,4}(?:\.\d{1,3})?)(?<unit>ms|s|m)$/;
const SECONDS_OF_UNIT: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60 };

function secondsOf(text: string): number {
  const { amount, unit = '' } = DURATION.exec(text)?.groups ?? {};
  const seconds = Number(amount) * (SECONDS_OF_UNIT[unit] ?? Number.NaN);
  if (seconds <= 3_600) return seconds;
  throw new InvalidArgumentError('expected a duration of an hour at most, such as 500ms, 2s or 1m');
}
