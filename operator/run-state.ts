/**
 * What is known of a run of the whole mesh on this machine: written by the runner, read by the
 * operator's command.
 *
 * @module
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TokenmeshError } from '../errors/error.ts';
import type { CertificateRole, CertificateSourceChoice } from '../mesh/definition.ts';
import type { SocketAddress } from '../mesh/envoy/types.ts';

export interface NodeState {
  readonly name: string;
  readonly identity: string;
  readonly listener: SocketAddress;
  readonly adminUrl: string;
  readonly egressSocket: string;
  readonly agentSocket: string;
  /** A gateway has no app. */
  readonly appSocket?: string;
  /** What its Envoy was started with. */
  readonly bootstrapFile: string;
  /** The output of its sidecar: the agent's log, and Envoy's access log. */
  readonly sidecarLog: string;
  readonly pids: { readonly agent: number; readonly app?: number };
  /** Empty for a node in short-lived mode: its sidecar issues one after the other. */
  readonly certificateArns: Readonly<Record<CertificateRole, string>>;
  readonly certificateSource: CertificateSourceChoice['kind'];
}

export interface CertificateAuthorityState {
  readonly name: string;
  readonly arn: string;
  /** A PEM file. */
  readonly certificate: string;
}

/** Where callers from outside get their tokens. */
export interface AuthenticationState {
  readonly userPoolId: string;
  /** The client that may call the gateway. */
  readonly clientId: string;
  readonly issuer: string;
  readonly tokenUrl: string;
  /** In full, as they stand in a token. */
  readonly scopes: readonly string[];
}

/** One queue for tokenizing in bulk, and where what it gave up on goes. */
export interface BulkQueueState {
  readonly url: string;
  readonly deadLetterUrl: string;
}

export interface BulkState {
  /** Seals what is sent, and encrypts the queues and the results where they lie. */
  readonly keyArn: string;
  readonly resultsBucket: string;
  readonly queue: BulkQueueState;
  /** FIFO: the parts of a load in their order. */
  readonly orderedQueue: BulkQueueState;
}

/** A mesh of a run that has several, each in a region of its own. */
export interface RegionPlace {
  readonly region: string;
  /** What tokens of the format `region` name. */
  readonly code: string;
  readonly stateFile: string;
}

export interface RegionsState {
  /** Where the runner is told to lose a region, or to bring it back. */
  readonly controlSocket: string;
  readonly places: readonly RegionPlace[];
}

export interface RunState {
  /** The process that holds the run together. */
  readonly pid: number;
  readonly startedAt: string;
  /** Everything that the run wrote is in here, and goes with it. */
  readonly directory: string;
  readonly gatewayUrl: string;
  /** Where the gateway authenticates its callers. */
  readonly authentication?: AuthenticationState;
  /** Served by the runner while the run is up. */
  readonly dashboardUrl: string;
  readonly aws: { readonly endpointUrl: string; readonly region: string; readonly accountId: string };
  readonly tables: {
    readonly tokens: string;
    readonly keys: string;
    readonly orders: string;
    readonly audit: string;
    readonly fingerprints: string;
  };
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  readonly bulk: BulkState;
  /** The bus that is told what becomes of tokens; none unless the user asked for it. */
  readonly eventBusName?: string;
  readonly nodes: readonly NodeState[];
  readonly cas: readonly CertificateAuthorityState[];
  /** Where there are several. */
  readonly regions?: RegionsState;
}

/** Where the run of this project is found; another place lets two runs stand side by side. */
export function runStateFile(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['TOKENMESH_STATE'] ?? join(import.meta.dirname, '..', '.tokenmesh', 'run.json');
}

/** A run that has begun, and is not ready to be used yet. */
export type RunClaim = Pick<RunState, 'pid' | 'directory'>;

/**
 * Makes a run the one of this folder, before it has made anything else.
 *
 * @throws {TokenmeshError} `ERR_ALREADY_RUNNING`. What a run left whose runner was killed is cleared away.
 */
export function claimRun(file: string, claim: RunClaim): void {
  const found = clearDeadRun(file);
  if (found !== undefined) throw alreadyRunning(found.pid);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, JSON.stringify(claim), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyRunning(findClaim(file)?.pid ?? 0);
    throw error;
  }
}

/**
 * Clears away what a run left whose runner was killed.
 *
 * @returns A run that is alive, which is left alone.
 */
export function clearDeadRun(file: string): RunClaim | undefined {
  const found = findClaim(file);
  if (found === undefined || isAlive(found.pid)) return found;
  if (basename(found.directory).startsWith('tokenmesh-'))
    rmSync(found.directory, { recursive: true, force: true });
  removeRunState(file);
  return undefined;
}

function alreadyRunning(pid: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ALREADY_RUNNING',
    message: `a mesh is running from this folder already (pid ${pid}): expected none`,
    remedy: 'use that one: npm run mesh -- status; or stop it with Ctrl-C where it was started',
  });
}

export function writeRunState(file: string, state: RunState): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeRunState(file: string): void {
  rmSync(file, { force: true });
}

/** What a runner left, whether or not the runner is still there. */
export function findClaim(file: string): RunClaim | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunClaim;
  } catch {
    return undefined;
  }
}

/** @throws {TokenmeshError} `ERR_NOT_RUNNING`, `ERR_STARTING` */
export function readRunState(file: string): RunState {
  const state = findClaim(file) as Partial<RunState> | undefined;
  if (state?.pid !== undefined && isAlive(state.pid)) {
    if (state.nodes !== undefined) return state as RunState;
    throw new TokenmeshError({
      code: 'ERR_STARTING',
      message: `the mesh is still starting (pid ${state.pid}): expected one that is ready`,
      remedy: 'wait until npm start has printed its addresses, then run the command again',
    });
  }
  throw new TokenmeshError({
    code: 'ERR_NOT_RUNNING',
    message: 'no mesh is running on this machine: expected one started from this folder',
    remedy: 'start it with: npm start',
  });
}

/**
 * The run of one region; of the first unless it is named.
 *
 * @throws {TokenmeshError} `ERR_NOT_RUNNING`, `ERR_STARTING`, `ERR_REGION_UNKNOWN`
 */
export function readRegionState(file: string, region: string | undefined): RunState {
  const state = readRunState(file);
  if (region === undefined || region === state.aws.region) return state;
  return readRunState(placeOf(state, region).stateFile);
}

/** Where a state belongs that was read by {@link readRegionState}. */
export function stateFileOf({ regions, aws }: RunState, file: string): string {
  return regions?.places.find(({ region }) => region === aws.region)?.stateFile ?? file;
}

/** @throws {TokenmeshError} `ERR_REGION_UNKNOWN` */
export function placeOf(state: RunState, region: string): RegionPlace {
  const places = state.regions?.places ?? [];
  const place = places.find((each) => each.region === region);
  if (place !== undefined) return place;
  const known = places.length === 0 ? state.aws.region : places.map((each) => each.region).join(', ');
  throw new TokenmeshError({
    code: 'ERR_REGION_UNKNOWN',
    message: `no mesh runs in the region "${region}": expected one of ${known}`,
    remedy: 'correct the name, or start two regions: npm start -- --regions 2',
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @throws {TokenmeshError} `ERR_NODE_UNKNOWN` */
export function nodeState(state: RunState, name: string): NodeState {
  const node = state.nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  throw new TokenmeshError({
    code: 'ERR_NODE_UNKNOWN',
    message: `unknown node "${name}": expected one of ${state.nodes.map((each) => each.name).join(', ')}`,
    remedy: 'correct the name',
  });
}
