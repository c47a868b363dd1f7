/**
 * What is known of a run of the whole mesh on this machine: written by the runner, read by the
 * operator's command.
 *
 * @module
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TokenmeshError } from '../errors/error.ts';
import type { CertificateRole } from '../mesh/definition.ts';
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
  readonly pids: { readonly agent: number; readonly app?: number };
  readonly certificateArns: Readonly<Record<CertificateRole, string>>;
}

export interface CertificateAuthorityState {
  readonly name: string;
  readonly arn: string;
  /** A PEM file. */
  readonly certificate: string;
}

export interface RunState {
  /** The process that holds the run together. */
  readonly pid: number;
  readonly startedAt: string;
  /** Everything that the run wrote is in here, and goes with it. */
  readonly directory: string;
  readonly gatewayUrl: string;
  readonly aws: { readonly endpointUrl: string; readonly region: string; readonly accountId: string };
  readonly tables: {
    readonly tokens: string;
    readonly keys: string;
    readonly orders: string;
    readonly audit: string;
  };
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  readonly nodes: readonly NodeState[];
  readonly cas: readonly CertificateAuthorityState[];
}

/** Where the run of this project is found; another place lets two runs stand side by side. */
export function runStateFile(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['TOKENMESH_STATE'] ?? join(import.meta.dirname, '..', '.tokenmesh', 'run.json');
}

export function writeRunState(file: string, state: RunState): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeRunState(file: string): void {
  rmSync(file, { force: true });
}

/** The state that a runner left, whether or not the runner is still there. */
export function findRunState(file: string): RunState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunState;
  } catch {
    return undefined;
  }
}

/** @throws {TokenmeshError} `ERR_NOT_RUNNING` */
export function readRunState(file: string): RunState {
  const state = findRunState(file);
  if (state !== undefined && isAlive(state.pid)) return state;
  throw new TokenmeshError({
    code: 'ERR_NOT_RUNNING',
    message: 'no mesh is running on this machine: expected one started from this folder',
    remedy: 'start it with: npm start',
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
