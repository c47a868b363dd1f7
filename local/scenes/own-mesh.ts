/**
 * A mesh of a scene's own, to be broken: something that does harm stands before AWS, and a node of which a process
 * ends is replaced.
 *
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients, type AwsClients } from '../../operator/aws-clients.ts';
import type { RunState } from '../../operator/run-state.ts';
import { createQuietLogger } from '../../runtime/log.ts';
import { keyOfItem } from '../../sidecar/tokenizer/adapters/record-item.ts';
import { startFaultyAws, type FaultyAws } from '../faulty-aws.ts';
import { searchForLeaks } from '../leaks.ts';
import { MeshRunner } from '../mesh-run.ts';
import type { StopSign } from '../signals.ts';
import { clockOfNode, type ClockOfNode } from './clock-of-node.ts';
import { openCallers, type Callers } from './callers.ts';
import { Ledger, SCENE_MARK } from './ledger.ts';
import type { Evidence } from './promises.ts';

/** The least there is: what goes on under a key that is held is over soon. */
const KEY_SECONDS = '5';

/** What no scene sends is limited, so that one machine can send too much of it. */
const LIMITS = { order: { 'read-metadata': { perSecond: 2, burst: 5 } } };

/** Tokens in one call. */
const OPENED_AT_ONCE = 50;

/** How often a token that did not open is asked for. */
const ROUNDS = 10;
const PAUSE_MS = 1_000;

/** What a fault is played on. */
export interface OwnMesh {
  readonly state: RunState;
  /** The root under which the gateway proves itself, PEM. */
  readonly gatewayTrust: string;
  readonly runner: MeshRunner;
  /** Past the faults. */
  readonly aws: AwsClients;
  readonly faults: FaultyAws;
  readonly callers: Callers;
  readonly ledger: Ledger;
  readonly evidence: Evidence & {
    /** Opens each token again at the next look: one that has been opened is not asked for at every look. */
    forget(): void;
  };
  /** Of the tokenizer's app and agent, where a scene asked for one. */
  readonly clock: ClockOfNode | undefined;
  stop(): Promise<void>;
}

/** In a folder of its own and on any ports, so that it stands beside a mesh that is running. */
export async function startOwnMesh(
  stopped: StopSign,
  environment: Readonly<Record<string, string | undefined>>,
  { withClock }: { readonly withClock: boolean },
): Promise<OwnMesh> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-scene-'));
  const clock = withClock ? clockOfNode(join(folder, 'clock')) : undefined;
  let faults: FaultyAws | undefined;
  let emulator = '';
  const runner = new MeshRunner({
    mesh: tokenizationMesh,
    orderStore: 'dynamodb',
    stateFile: join(folder, 'run.json'),
    environment: {
      TOKENMESH_BRANCH_KEY_SECONDS: KEY_SECONDS,
      TOKENMESH_LIMITS: JSON.stringify(LIMITS),
      ...environment,
    },
    logger: createQuietLogger('local'),
    signal: stopped.signal,
    ports: 'any',
    replacesTasks: true,
    environmentOf: (nodeName) => (nodeName === 'tokenizer' ? (clock?.environment ?? {}) : {}),
    inFrontOfAws: async (endpointUrl) => {
      emulator = endpointUrl;
      faults = await startFaultyAws(endpointUrl);
      return faults.endpoint;
    },
    stage: async (_title, work) => await work(() => {}),
  });
  process.on('exit', () => runner.kill());
  const stop = async (): Promise<void> => {
    await runner.stop();
    await faults?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { state, gatewayTrust } = await Promise.race([runner.start(), runner.failed]);
    if (faults === undefined) throw new Error('expected something before AWS');
    const aws = emulatorClients(emulator, state.aws.region);
    const callers = openCallers(state);
    const evidence = evidenceOf(state, aws, callers);
    return { state, gatewayTrust, runner, aws, faults, callers, ledger: new Ledger(), evidence, clock, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function evidenceOf(state: RunState, { dynamodb }: AwsClients, callers: Callers): OwnMesh['evidence'] {
  const opened = new Map<string, string>();
  return {
    forget: () => opened.clear(),
    async storedTokens() {
      const tokens: string[] = [];
      const pages = paginateScan(
        { client: dynamodb },
        { TableName: state.tables.tokens, ProjectionExpression: 'pk, sk' },
      );
      for await (const { Items = [] } of pages) {
        tokens.push(...Items.flatMap((item) => keyOfItem(item)?.token ?? []));
      }
      return tokens;
    },
    async open(tokens) {
      const found = await openAll(
        callers,
        tokens.filter((token) => !opened.has(token)),
      );
      for (const [token, card] of found) opened.set(token, card);
      return opened;
    },
    search: async () =>
      await searchForLeaks(state.directory, dynamodb, Object.values(state.tables), [SCENE_MARK]),
  };
}

/** What was not to be had for the time being is asked for again, as a caller does. */
async function openAll(callers: Callers, tokens: readonly string[]): Promise<Map<string, string>> {
  const opened = new Map<string, string>();
  for (let round = 0; round < ROUNDS && opened.size < tokens.length; round += 1) {
    if (round > 0) await sleep(PAUSE_MS);
    const left = tokens.filter((token) => !opened.has(token));
    for (let first = 0; first < left.length; first += OPENED_AT_ONCE) {
      const part = left.slice(first, first + OPENED_AT_ONCE);
      const { cards } = await callers.detokenizeBatch(part);
      for (const [index, token] of part.entries()) {
        const card = cards[index];
        if (card !== undefined) opened.set(token, card);
      }
    }
  }
  return opened;
}
