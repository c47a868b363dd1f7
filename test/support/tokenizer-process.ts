import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { createEgress } from '../../runtime/egress.ts';
import { IDENTITY_HEADER } from '../../runtime/http-server.ts';
import type { EmulatedVault } from './emulated-vault.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'sidecar', 'tokenizer', 'main.ts');

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: unknown;
}

/** The tokenizer as it runs beside its Envoy: a process on a socket. */
export interface TokenizerProcess {
  readonly socketPath: string;
  send(node: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<Answer>;
  /** What it logged so far. */
  log(): string;
  /** @returns Its exit code. */
  stop(): Promise<number | null>;
  /** As the kernel ends a process: nothing of it is finished. */
  kill(): Promise<void>;
}

/** @param env - Over what the vault gives, which is over nothing: the environment of the test stays out. */
export async function startTokenizerProcess(
  vault: EmulatedVault,
  env: Readonly<Record<string, string>> = {},
): Promise<TokenizerProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenmesh-tokenizer-'));
  const socketPath = join(directory, 'app.sock');
  const child = spawn(process.execPath, [MAIN], {
    env: { ...environmentOf(vault), TOKENMESH_APP_SOCKET: socketPath, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  const log = (): string => chunks.join('');
  const dispatcher = createEgress(socketPath);
  for (let waits = 0; !log().includes('listening') && child.exitCode === null && waits < 400; waits += 1) {
    await sleep(25);
  }
  return {
    socketPath,
    log,
    async send(node, method, path, body) {
      const answer = await request(`http://tokenizer${path}`, {
        method,
        dispatcher,
        headers: {
          [IDENTITY_HEADER]: `${node}.tokenmesh.internal`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      const parsed: unknown = text === '' ? undefined : JSON.parse(text);
      return { status: answer.statusCode, headers: answer.headers, text, body: parsed };
    },
    async kill() {
      await dispatcher.close();
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
    async stop() {
      await dispatcher.close();
      child.kill('SIGTERM');
      const [code] = await exited;
      await rm(directory, { recursive: true, force: true });
      return code;
    },
  };
}

function environmentOf(vault: EmulatedVault): Record<string, string> {
  const { region, credentials } = vault.aws.clientConfig;
  return {
    TOKENMESH_TOKENS_TABLE: vault.tokensTableName,
    TOKENMESH_KEYS_TABLE: vault.keysTableName,
    TOKENMESH_KMS_KEY_ARN: vault.kmsKeyArn,
    TOKENMESH_AUDIT_TABLE: vault.auditTableName,
    TOKENMESH_FINGERPRINTS_TABLE: vault.fingerprintsTableName,
    TOKENMESH_AUDIT_KEY_ID: vault.auditKeyId,
    TOKENMESH_STOP_WITH_PARENT: '1',
    AWS_ENDPOINT_URL: vault.aws.endpointUrl,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
