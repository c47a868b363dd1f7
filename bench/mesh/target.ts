/**
 * What a load is sent to: an app behind its Envoys, as processes.
 *
 * @module
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';
import { TABLES } from '../../local/aws/resources.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { EMULATOR_CREDENTIALS } from '../../operator/aws-clients.ts';
import { NODE_FLAGS, PROCESS_ENVIRONMENT } from '../../sidecar/tokenizer/process-options.ts';
import type { FloorAnswers } from '../floor-app.ts';
import type { Pids } from './cpu.ts';
import { startEnvoys, type Envoys } from './envoys.ts';
import type { Operation } from './operations.ts';
import type { BenchPki } from './pki.ts';
import { REGION, type Store } from './stores.ts';
import { untilReady } from './until-ready.ts';
import type { Workplace } from './workplace.ts';

const READY_DEADLINE_MS = 20_000;
const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/** The program of each kind of app. */
const PROGRAMS = {
  tokenizer: 'sidecar/tokenizer/main.ts',
  bare: 'bench/bare-tokenizer.ts',
  usual: 'bench/usual-pattern.ts',
  'mesh-floor': 'bench/floor-app.ts',
};

export type AppKind = keyof typeof PROGRAMS;

export interface BenchParts {
  readonly workplace: Workplace;
  readonly mesh: Mesh;
  readonly pki: BenchPki;
  readonly envoyBinary: string;
}

export interface Target {
  readonly name: string;
  readonly kind: AppKind;
  readonly store: Store;
  /** `app`, and the Envoy of each node. */
  readonly pids: Pids;
  readonly egressSockets: Envoys['egressSockets'];
  /** Sends one request as the app beside a caller's Envoy would. */
  send(operation: Operation, body: object): Promise<{ readonly status: number; readonly text: string }>;
  stop(): Promise<void>;
}

export interface TargetWish {
  readonly name: string;
  readonly kind: AppKind;
  readonly store: Store;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the mesh floor. */
  readonly answers?: FloorAnswers;
  /** Where the app leaves its CPU profile when it stops. */
  readonly profileDirectory?: string;
}

export async function startTarget(parts: BenchParts, wish: TargetWish): Promise<Target> {
  const { name, kind, store, environment, answers = {}, profileDirectory } = wish;
  const group = parts.workplace.group(name);
  const envoys = await startEnvoys(group.processes, { ...parts, directory: group.directory });
  const answersFile = join(group.directory, 'answers.json');
  await writeFile(answersFile, JSON.stringify(answers));
  const app = group.processes.start({
    name: `the app ${kind}`,
    command: process.execPath,
    arguments: [
      ...(profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]),
      ...(isOfOurs(kind) ? NODE_FLAGS : []),
      join(PROJECT_ROOT, PROGRAMS[kind]),
    ],
    environment: {
      ...vaultEnvironment(store),
      ...(isOfOurs(kind) ? PROCESS_ENVIRONMENT : {}),
      TOKENMESH_APP_SOCKET: envoys.appSocket,
      FLOOR_ANSWERS: answersFile,
      ...environment,
    },
  });
  await untilReady(envoys.appSocket, 'http://app/readyz', READY_DEADLINE_MS, () => notReady(name));
  return {
    ...{ name, kind, store },
    pids: { ...envoys.pids, app },
    egressSockets: envoys.egressSockets,
    send: async (operation, body) => await send(envoys, operation, body),
    stop: async () => await group.stop(),
  };
}

/** The tokenizer's flags trade speed for memory: a baseline runs as Node runs by default. */
function isOfOurs(kind: AppKind): boolean {
  return kind === 'tokenizer' || kind === 'bare';
}

/** What `npm start` gives to the tokenizer, with limits that no bench reaches. */
export function vaultEnvironment(store: Store): Record<string, string> {
  const limit = { perSecond: 10_000_000, burst: 100_000_000 };
  const limits = { order: { tokenize: limit }, paybill: { detokenize: limit } };
  return {
    PATH: process.env['PATH'] ?? '',
    TOKENMESH_TOKENS_TABLE: TABLES.tokens,
    TOKENMESH_KEYS_TABLE: TABLES.keys,
    TOKENMESH_AUDIT_TABLE: TABLES.audit,
    TOKENMESH_FINGERPRINTS_TABLE: TABLES.fingerprints,
    TOKENMESH_KMS_KEY_ARN: store.vaultKeyArn,
    TOKENMESH_AUDIT_KEY_ID: store.auditKeyArn,
    TOKENMESH_LIMITS: JSON.stringify(limits),
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL_DYNAMODB: store.url,
    AWS_ENDPOINT_URL_KMS: store.kms.url,
    AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIALS.secretAccessKey,
    NODE_COMPILE_CACHE: join(PROJECT_ROOT, '.tokenmesh', 'compile-cache'),
  };
}

function notReady(name: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_BENCH_NOT_READY',
    message: `the app of "${name}" is not ready: expected it within ${READY_DEADLINE_MS / 1_000} s`,
    remedy: 'run the bench again on a machine that does nothing else',
  });
}

async function send(
  { egressSockets }: Envoys,
  operation: Operation,
  body: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const dispatcher = new Agent({ connect: { socketPath: egressSockets[operation.caller] } });
  try {
    const answer = await request(`http://tokenizer${operation.path}`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } finally {
    await dispatcher.close();
  }
}
