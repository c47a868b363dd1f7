/**
 * Two regions are parted, and the first is lost before its last tokens have arrived in the second.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { writeIdentityFiles } from '../../operator/identities.ts';
import { changeRegions, readRegions } from '../../operator/regions/emulated-regions.ts';
import { severalIn, tellRunner } from '../../operator/regions.ts';
import { readRunState, type RunState } from '../../operator/run-state.ts';
import { TEST_CARDS } from '../../sample-apps/test-cards.ts';
import { readElsewhere, revealIn, tokenizeIn, untilRead } from '../regions/demonstration.ts';
import type { Scene, Stage } from './scene.ts';

const EACH = 5;
/** So that a person sees that the other region falls behind. */
const PARTED_FOR_MS = 3_000;

interface HandedOut {
  readonly token: string;
  readonly value: string;
}

export const lostRegion: Scene = {
  title: 'a region that is lost before its last tokens have arrived in the other',
  async play(stage) {
    const { places } = severalIn(stage.state);
    const [here, there] = places.map(({ stateFile }) => readRunState(stateFile));
    if (here === undefined || there === undefined) throw new Error('expected two regions');
    for (const state of [here, there]) await refreshIdentities(state);
    const arrived = await bothWays(stage, here, there);
    const isSame = await bothAtOnce(stage, here, there);
    const unsent = await handOut(here);
    stage.say(`parted; ${unsent.length} tokens made in ${here.aws.region} since`);
    await new Promise((resolve) => setTimeout(resolve, PARTED_FOR_MS));
    await tellRunner(stage.state, here.aws.region, 'lose');
    stage.say(`${here.aws.region} lost: its mesh killed, its AWS answers nobody`);
    const { made, isSaid } = await goesOn(stage, there, arrived, unsent);
    await changeRegions(there.aws.endpointUrl, { isPartitioned: false });
    await tellRunner(stage.state, here.aws.region, 'restore');
    stage.say(`${here.aws.region} back, and joined again`);
    const opened = await openAll([here, there], [...arrived, ...unsent, ...made]);
    stage.say(
      `${opened.length} of ${arrived.length + unsent.length + made.length} tokens open in both regions`,
    );
    return isSame && isSaid && opened.length === arrived.length + unsent.length + made.length;
  },
};

async function refreshIdentities(state: RunState): Promise<void> {
  const { secretsManager } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  await writeIdentityFiles(state, tokenizationMesh.name, secretsManager);
}

/** @returns Tokens that have arrived in both regions. */
async function bothWays({ say }: Stage, here: RunState, there: RunState): Promise<HandedOut[]> {
  const found: HandedOut[] = [];
  for (const [from, to] of [
    [here, there],
    [there, here],
  ] as const) {
    const { token, value, afterMs } = await readElsewhere(from, to);
    say(`${token.slice(0, 8)}... made in ${from.aws.region}, read in ${to.aws.region} after ${afterMs} ms`);
    found.push({ token, value });
  }
  return found;
}

/** Parts the regions first, so that neither can have heard of the other. @returns Whether both made one token. */
async function bothAtOnce({ say }: Stage, here: RunState, there: RunState): Promise<boolean> {
  await changeRegions(here.aws.endpointUrl, { isPartitioned: true });
  const [card] = TEST_CARDS;
  const tokens = await Promise.all(
    [here, there].map(
      async (state) => await tokenizeIn(state, card?.number ?? '', { kind: 'deterministic' }),
    ),
  );
  const isSame = tokens[0] === tokens[1];
  say(
    `one value tokenized in both at once, of the kind deterministic: ${isSame ? 'one token' : 'two tokens'}`,
  );
  return isSame;
}

async function handOut(state: RunState): Promise<HandedOut[]> {
  const cards = TEST_CARDS.slice(0, EACH);
  return await Promise.all(
    cards.map(async ({ number }) => ({
      token: await tokenizeIn(state, number, { format: 'region' }),
      value: number,
    })),
  );
}

/** What the region that is left does meanwhile. @returns What it made, and whether it said what it does not know. */
async function goesOn(
  { say }: Stage,
  there: RunState,
  arrived: readonly HandedOut[],
  unsent: readonly HandedOut[],
): Promise<{ made: HandedOut[]; isSaid: boolean }> {
  const made = await handOut(there);
  const read = await openAll([there], [...arrived, ...made]);
  say(
    `${there.aws.region} goes on: ${made.length} tokens made, ${read.length} of ${arrived.length + made.length} read`,
  );
  const { lost } = await readRegions(there.aws.endpointUrl);
  const answers = await Promise.all(unsent.map(async ({ token }) => await refusalOf(there, token)));
  const unknownYet = answers.filter((each) => each?.code === 'ERR_TOKEN_NOT_REPLICATED');
  say(`${unknownYet.length} of ${unsent.length} that had not arrived are 404 ERR_TOKEN_NOT_REPLICATED:`);
  say(`  ${unknownYet[0]?.message ?? 'none'}`);
  return { made, isSaid: unknownYet.length === unsent.length && lost.length === 1 };
}

async function refusalOf(state: RunState, token: string): Promise<TokenmeshError | undefined> {
  try {
    await revealIn(state, token);
    return undefined;
  } catch (error) {
    if (error instanceof TokenmeshError) return error;
    throw error;
  }
}

/** @returns Those that open to their value in each of the regions. */
async function openAll(states: readonly RunState[], tokens: readonly HandedOut[]): Promise<HandedOut[]> {
  const opened: HandedOut[] = [];
  for (const each of tokens) {
    for (const state of states) await untilRead(state, each.token, each.value);
    opened.push(each);
  }
  return opened;
}
