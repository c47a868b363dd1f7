import { availableParallelism } from 'node:os';
import { TokenmeshError } from '../../errors/error.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { policiesDirectoryIn } from './adapters/policy-files.ts';
import type { RateOverrides } from './core/rate-limit.ts';
import { parseRateOverrides } from './core/rate-overrides.ts';
import { REGION_CODE } from './core/formats/region.ts';
import { REGION_CODES } from './core/formats/region-codes.ts';

export interface TokenizerConfig {
  /** The Unix socket to listen on. */
  readonly socketPath: string;
  readonly tokensTableName: string;
  readonly keysTableName: string;
  readonly fingerprintsTableName: string;
  readonly kmsKeyArn: string;
  /** The folder of the policy files. */
  readonly policiesDirectory: string;
  readonly rateOverrides: RateOverrides;
  /** What tokens of the format `region` name. @default the airport of `AWS_REGION`: core/formats/region-codes.ts */
  readonly regionCode: string;
  /** The codes of the other regions that write to the same tables. */
  readonly otherRegionCodes: readonly string[];
  /** How often this region says that it is there, where there are others. */
  readonly heartbeatSeconds: number;
  /** How long a branch key is held before KMS is asked again. */
  readonly keySeconds: number;
  /** Threads that seal and open batches, beside the one that does everything else. */
  readonly sealingThreads: number;
  /** How often what has expired is removed. */
  readonly sweepSeconds: number;
  /** The asymmetric KMS keys that values were encrypted under at the edge; marks of no other are opened. */
  readonly markKeyArns: readonly string[];
  /** The bus that is told what becomes of tokens. @default nobody is told */
  readonly eventBusName?: string;
  readonly auditTableName: string;
  /** An alias, id or ARN of the HMAC key that seals the audit. */
  readonly auditKeyId: string;
}

/** The path of a Unix socket has 104 bytes on macOS and 108 on Linux, the last of them zero. */
const MAX_SOCKET_PATH_BYTES = 103;

export const KMS_KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/;
const REGION = /^[a-z\d-]+$/;
export const KMS_KEY_ID =
  /^(?:arn:aws[\w-]*:kms:[\w-]+:\d{12}:(?:key|alias)\/[\w/-]+|alias\/[\w/-]+|mrk-[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;
/** Well within the hour that a security code may live. */
const DEFAULT_SWEEP_SECONDS = '60';
/** What a stolen image of the memory is good for after KMS revoked the key. */
const DEFAULT_KEY_SECONDS = '3600';
const KEY_SECONDS = /^(?:[5-9]|[1-9]\d{1,3}|[1-7]\d{4}|8[0-5]\d{3}|86[0-3]\d{2}|86400)$/;
const DEFAULT_HEARTBEAT_SECONDS = '5';
const SECONDS = /^[1-9]\d{0,2}$/;
/** Name or ARN of a bus (EventBridge API reference, PutEvents). */
const EVENT_BUS = /^(?:arn:aws[\w-]*:events:[a-z\d-]+:\d{12}:event-bus\/)?[\w.-][\w./-]{0,255}$/;
export const TABLE_NAME = /^[\w.-]{3,255}$/;

/**
 * What the service is told by its environment.
 *
 * @throws {TokenmeshError} `ERR_CONFIG_INVALID`, with every problem at once, each with its variable.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): TokenizerConfig {
  const config = {
    socketPath: env['TOKENMESH_APP_SOCKET'] ?? '',
    tokensTableName: env['TOKENMESH_TOKENS_TABLE'] ?? 'tokenmesh-tokens',
    keysTableName: env['TOKENMESH_KEYS_TABLE'] ?? 'tokenmesh-keys',
    fingerprintsTableName: env['TOKENMESH_FINGERPRINTS_TABLE'] ?? 'tokenmesh-fingerprints',
    kmsKeyArn: env['TOKENMESH_KMS_KEY_ARN'] ?? '',
    policiesDirectory: policiesDirectoryIn(env),
    regionCode: env['TOKENMESH_REGION_CODE'] ?? REGION_CODES[env['AWS_REGION'] ?? ''] ?? '',
    otherRegionCodes: (env['TOKENMESH_OTHER_REGIONS'] ?? '').split(',').filter((code) => code !== ''),
    heartbeatSeconds: Number(env['TOKENMESH_HEARTBEAT_SECONDS'] ?? DEFAULT_HEARTBEAT_SECONDS),
    keySeconds: Number(env['TOKENMESH_BRANCH_KEY_SECONDS'] ?? DEFAULT_KEY_SECONDS),
    sealingThreads: Number(env['TOKENMESH_SEALING_THREADS'] ?? defaultSealingThreads()),
    sweepSeconds: Number(env['TOKENMESH_SWEEP_SECONDS'] ?? DEFAULT_SWEEP_SECONDS),
    markKeyArns: (env['TOKENMESH_MARK_KEY_ARNS'] ?? '').split(',').filter((arn) => arn !== ''),
    ...(env['TOKENMESH_EVENT_BUS'] === undefined ? {} : { eventBusName: env['TOKENMESH_EVENT_BUS'] }),
    auditTableName: env['TOKENMESH_AUDIT_TABLE'] ?? 'tokenmesh-audit',
    auditKeyId: env['TOKENMESH_AUDIT_KEY_ID'] ?? 'alias/tokenmesh-audit',
  };
  const rates = parseRateOverrides(env['TOKENMESH_LIMITS'], tokenizationMesh);
  const problems = [
    ...socketProblems(config.socketPath),
    ...mismatch('TOKENMESH_TOKENS_TABLE', config.tokensTableName, TABLE_NAME, "a table's name"),
    ...mismatch('TOKENMESH_KEYS_TABLE', config.keysTableName, TABLE_NAME, "a table's name"),
    ...mismatch('TOKENMESH_FINGERPRINTS_TABLE', config.fingerprintsTableName, TABLE_NAME, "a table's name"),
    ...mismatch('TOKENMESH_KMS_KEY_ARN', config.kmsKeyArn, KMS_KEY_ARN, 'the ARN of a KMS key'),
    ...config.markKeyArns.flatMap((arn) =>
      mismatch('TOKENMESH_MARK_KEY_ARNS', arn, KMS_KEY_ARN, 'ARNs of KMS keys with a comma between them'),
    ),
    ...(config.eventBusName === undefined
      ? []
      : mismatch('TOKENMESH_EVENT_BUS', config.eventBusName, EVENT_BUS, 'the name or ARN of an event bus')),
    ...mismatch('TOKENMESH_AUDIT_TABLE', config.auditTableName, TABLE_NAME, "a table's name"),
    ...mismatch('TOKENMESH_AUDIT_KEY_ID', config.auditKeyId, KMS_KEY_ID, 'the alias, id or ARN of a KMS key'),
    ...mismatch(
      'TOKENMESH_SEALING_THREADS',
      env['TOKENMESH_SEALING_THREADS'] ?? defaultSealingThreads(),
      /^\d$/,
      'a number from 0 to 9',
    ),
    ...mismatch(
      'TOKENMESH_BRANCH_KEY_SECONDS',
      env['TOKENMESH_BRANCH_KEY_SECONDS'] ?? DEFAULT_KEY_SECONDS,
      KEY_SECONDS,
      'a number of seconds from 5 to 86400',
    ),
    ...mismatch(
      'TOKENMESH_SWEEP_SECONDS',
      env['TOKENMESH_SWEEP_SECONDS'] ?? DEFAULT_SWEEP_SECONDS,
      SECONDS,
      'a number of seconds from 1 to 999',
    ),
    ...mismatch(
      'TOKENMESH_HEARTBEAT_SECONDS',
      env['TOKENMESH_HEARTBEAT_SECONDS'] ?? DEFAULT_HEARTBEAT_SECONDS,
      SECONDS,
      'a number of seconds from 1 to 999',
    ),
    ...config.otherRegionCodes.flatMap((code) => otherRegionProblems(code, config.regionCode)),
    ...rates.problems.map((problem) => `TOKENMESH_LIMITS: ${problem}`),
    ...mismatch('AWS_REGION', env['AWS_REGION'] ?? '', REGION, 'a region'),
    ...regionCodeProblems(env['AWS_REGION'] ?? '', config.regionCode),
  ];
  if (problems.length === 0) return { ...config, rateOverrides: rates.overrides };
  throw new TokenmeshError({
    code: 'ERR_CONFIG_INVALID',
    message: `the tokenizer cannot start: ${problems.join('; ')}`,
    remedy: 'set the variables named, and start it again',
  });
}

/** One for each core but the first; more than four have nothing to do beside one event loop. */
function defaultSealingThreads(): string {
  return String(Math.min(4, availableParallelism() - 1));
}

/** A region that is not valid is a problem of its own, and has no code either. */
function regionCodeProblems(region: string, code: string): string[] {
  if (code === '' && !REGION.test(region)) return [];
  const expected = 'two to four capitals, since no code is known for AWS_REGION';
  return mismatch(
    'TOKENMESH_REGION_CODE',
    code,
    REGION_CODE,
    code === '' ? expected : 'two to four capitals',
  );
}

function otherRegionProblems(code: string, own: string): string[] {
  const isOther = REGION_CODE.test(code) && code !== own;
  const expected = 'codes of other regions, two to four capitals each, with a comma between them';
  return isOther ? [] : mismatch('TOKENMESH_OTHER_REGIONS', code, /^$/, expected);
}

function socketProblems(path: string): string[] {
  const bytes = Buffer.byteLength(path);
  if (path.startsWith('/') && bytes <= MAX_SOCKET_PATH_BYTES) return [];
  const found =
    path === '' ? 'nothing' : `${bytes} bytes of ${path.startsWith('/') ? 'path' : 'relative path'}`;
  return [
    `TOKENMESH_APP_SOCKET: expected an absolute path of at most ${MAX_SOCKET_PATH_BYTES} bytes, got ${found}`,
  ];
}

function mismatch(name: string, value: string, shape: RegExp, expected: string): string[] {
  if (shape.test(value)) return [];
  return [`${name}: expected ${expected}, got ${value === '' ? 'nothing' : 'something else'}`];
}
