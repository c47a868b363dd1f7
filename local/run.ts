/**
 * `npm start`: the whole mesh on this machine, and the proof that it works.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import ora from 'ora';
import { describeError, TokenmeshError } from '../errors/error.ts';
import { certificateSourceOf, LOCAL_LIFE } from '../mesh/certificate-source.ts';
import { nodeNames } from '../mesh/identity.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { assertValidMesh } from '../mesh/validate.ts';
import { accessToken, authenticationOf } from '../operator/login.ts';
import { verificationReport } from '../operator/report.ts';
import { rotateCertificate } from '../operator/rotate.ts';
import { writeIdentityFiles } from '../operator/identities.ts';
import { nodeState, runStateFile } from '../operator/run-state.ts';
import { callTokenizer } from '../operator/vault-call.ts';
import { verifyMesh } from '../operator/verify.ts';
import { createQuietLogger } from '../runtime/log.ts';
import { searchForLeaks } from './leaks.ts';
import type { MeshRun, MeshRunOptions } from './mesh-run.ts';
import { readElsewhere } from './regions/demonstration.ts';
import { RegionalRuns, type RegionCount } from './regions/regional-runs.ts';
import { stopWithSignals } from './signals.ts';
import { withShortLived } from './short-lived.ts';
import { startCommand, type StartOptions } from './start-command.ts';
import { cardsFor, loadDuring, openShop, orderAndPay, type Shop } from './traffic.ts';

const ORDERS = 20;
const WORKERS_DURING_ROTATION = 4;
const EXIT_WRONG_USE = 2;
const UNWIND_DEADLINE_MS = 5_000;

const mesh = withShortLived(tokenizationMesh, process.env['TOKENMESH_SHORT_LIVED']);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Without a terminal a line stays, so that few are written: one in two seconds. */
const PLAIN_LINE_EVERY_MS = 2_000;
let lastPlainLineAt = Number.NEGATIVE_INFINITY;

function sayNow(line: string): void {
  if (performance.now() - lastPlainLineAt < PLAIN_LINE_EVERY_MS) return;
  lastPlainLineAt = performance.now();
  say(`  ${line}`);
}

/** A line for each stage, with a spinner where there is a terminal. */
const stage: MeshRunOptions['stage'] = async (title, work) => {
  const started = performance.now();
  const spinner = ora({
    text: title,
    stream: process.stdout,
    // A terminal that says it has no columns makes the spinner turn for ever.
    isEnabled: process.stdout.isTTY && process.stdout.columns > 0,
    discardStdin: false,
    hideCursor: false,
  }).start();
  try {
    const result = await work((line) => {
      if (process.stdout.isTTY) spinner.text = `${title}: ${line}`;
      else sayNow(line);
    });
    spinner.succeed(`${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    spinner.fail(title);
    throw error;
  }
};

/** Drives the mesh as its users do, and proves what came of it. @returns Whether everything held. */
async function demonstrate(run: MeshRun): Promise<boolean> {
  const { token } = await accessToken(authenticationOf(run.state), run.aws);
  const shop = openShop(run.state.gatewayUrl, run.gatewayTrust, token);
  const cards = cardsFor(ORDERS);
  const orderId = await stage(`${ORDERS} orders placed and paid through the gateway`, async (progress) => {
    let last = '';
    for (const [index, card] of cards.entries()) {
      last = (await orderAndPay(shop, card)).orderId;
      progress(`${index + 1} of ${ORDERS}`);
    }
    return last;
  });
  const rotated = await rotateUnderLoad(run, shop);
  const refused = await stage('the outsider tries everything', async () => await tryAsOutsider(run, orderId));
  say(`  ${refused.refused} of ${refused.attempts} attempts refused`);
  const verification = await stage('verify', async () => await verifyMesh(mesh, run.state, run.aws));
  say(verificationReport(verification));
  const noLeak = await searchRun(run);
  await shop.dispatcher.close();
  return rotated && refused.attempts > 0 && refused.refused === refused.attempts && verification.ok && noLeak;
}

async function rotateUnderLoad(run: MeshRun, shop: Shop): Promise<boolean> {
  const parts = { mesh, state: run.state, aws: run.aws, logger: createQuietLogger('local') };
  // A node in short-lived mode rotates by itself.
  const node = ['tokenizer', ...nodeNames(mesh)].find(
    (each) => certificateSourceOf(mesh, each).kind === 'acm-export',
  );
  const { result, load } = await stage(
    `the ${node}'s certificate rotates while orders go on`,
    async () =>
      await loadDuring(
        shop,
        WORKERS_DURING_ROTATION,
        async () => await rotateCertificate(parts, node ?? 'gateway', 'server'),
      ),
  );
  say(
    `  new serial served ${result.servedMs} ms after the command (published after ${result.publishedMs} ms); ` +
      `${load.orders} orders meanwhile, ${load.failures.length} failed`,
  );
  for (const failure of load.failures.slice(0, 3)) say(`  ${failure}`);
  return load.orders > 0 && load.failures.length === 0;
}

/** With a token and an order that exist, so that there would be something to get. */
async function tryAsOutsider(run: MeshRun, orderId: string): Promise<{ attempts: number; refused: number }> {
  const { appSocket } = nodeState(run.state, 'outsider');
  const made = await callTokenizer(run.state, 'order', '/v1/tokens', {
    fields: { a: { class: 'text', value: 'bait' } },
  });
  const { token } = made as { token: string };
  const dispatcher = new Agent({ connect: { socketPath: appSocket ?? '' } });
  const { body } = await request('http://outsider/attempts', {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, orderId }),
  });
  const answer = (await body.json()) as { attempts: unknown[]; refused: number };
  await dispatcher.close();
  return { attempts: answer.attempts.length, refused: answer.refused };
}

async function searchRun(run: MeshRun): Promise<boolean> {
  const numbers = cardsFor(ORDERS).map((card) => card.number);
  const search = await searchForLeaks(
    run.state.directory,
    run.aws.dynamodb,
    Object.values(run.state.tables),
    numbers,
  );
  say(
    `card numbers searched for in ${search.files} files and ${search.items} items: found in ${search.found.length}`,
  );
  for (const place of search.found) say(`  ${place}`);
  return search.found.length === 0 && search.files > 0 && search.items >= ORDERS;
}

/** What the other region of two is for. @returns Whether everything held. */
async function demonstrateOther(run: MeshRun, other: MeshRun): Promise<boolean> {
  const [here, there] = [run, other].map(({ state }) => state.aws.region);
  await writeIdentityFiles(other.state, mesh.name, other.aws.secretsManager);
  for (const [from, to] of [
    [run, other],
    [other, run],
  ] as const) {
    const { token, afterMs } = await readElsewhere(from.state, to.state);
    say(
      `  ${token.slice(0, 8)}... made in ${from.state.aws.region}, read in ${to.state.aws.region} after ${afterMs} ms`,
    );
  }
  const verification = await stage(
    `verify ${there ?? ''}, beside ${here ?? ''}`,
    async () => await verifyMesh(mesh, other.state, other.aws),
  );
  say(verificationReport(verification));
  return verification.ok;
}

function sayAddresses(run: MeshRun): void {
  const trust = run.state.cas.find((each) => each.name === 'servers-root')?.certificate ?? '';
  say(`
dashboard  ${run.state.dashboardUrl}
gateway    ${run.state.gatewayUrl}
AWS        ${run.state.aws.endpointUrl} (emulated: nothing is kept when it stops)
try it     npm run -s mesh -- login --header | curl -H @- --cacert ${trust} \\
             ${run.state.gatewayUrl}/orders -H 'content-type: application/json' \\
             -d '{"items":[{"sku":"tea-pot","quantity":1,"unitPriceCents":2599}],"currency":"EUR",
                  "card":{"number":"<a test card number>","expiry":"12/30","holder":"A Tester"}}'
look       npm run mesh -- status | verify | edges | tap tokenizer | rotate tokenizer
stop       Ctrl-C`);
}

function sayOtherRegion({ state }: MeshRun): void {
  say(`
${state.aws.region}  gateway ${state.gatewayUrl}, dashboard ${state.dashboardUrl}
look       npm run mesh -- status --region ${state.aws.region}; npm run mesh -- regions
try it     npm run scene -- lost-region`);
}

async function main({ once = false, orderStore, regions }: StartOptions): Promise<number> {
  assertValidMesh(mesh, LOCAL_LIFE);
  const stopped = stopWithSignals();
  const options = {
    mesh,
    orderStore,
    stateFile: runStateFile(process.env),
    environment: process.env,
    logger: createQuietLogger('local'),
    signal: stopped.signal,
    stage,
  };
  const runner = new RegionalRuns(options, Number(regions) as RegionCount);
  process.on('exit', () => runner.kill());
  const work = async (): Promise<number> => {
    const { first, other } = await runner.start();
    const held =
      (await demonstrate(first)) && (other === undefined || (await demonstrateOther(first, other)));
    if (once) return held ? 0 : 1;
    if (other !== undefined) sayOtherRegion(other);
    sayAddresses(first);
    return await stopped.exitCode;
  };
  const working = work();
  working.catch(() => {});
  try {
    return await Promise.race([working, stopped.exitCode, runner.failed]);
  } catch (error) {
    if (stopped.signal.aborted) return await stopped.exitCode;
    const cause = await causeOf(error, runner);
    process.stderr.write(`\nnpm start: ${describeError(cause)}\n`);
    if (!(cause instanceof TokenmeshError) && cause instanceof Error)
      process.stderr.write(`${cause.stack ?? ''}\n`);
    return 1;
  } finally {
    stopped.abort();
    await runner.stop();
    // What it was at, such as an installation, is taken back before the process goes.
    await Promise.race([working.catch(() => {}), sleep(UNWIND_DEADLINE_MS)]);
    runner.removeFiles();
    say('stopped: no process and no file of the run is left');
  }
}

/** A request may fail a moment before the end of the process that it was sent to is noticed. */
async function causeOf(error: unknown, runner: Pick<RegionalRuns, 'failed'>): Promise<unknown> {
  const ended = runner.failed.catch((cause: unknown) => cause);
  return await Promise.race([ended, sleep(1_000, error)]);
}

const program = startCommand()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .parse();

const chosen = program.opts<StartOptions>();
// A database is no part of a region: it would not come back with it.
if (chosen.regions === '2' && chosen.orderStore === 'mysql')
  program.error('error: expected --order-store dynamodb with two regions');

try {
  process.exit(await main(chosen));
} catch (error) {
  process.stderr.write(`npm start: ${describeError(error)}\n`);
  process.exit(1);
}
