/**
 * Puts a new CA in the place of the one that a hierarchy has, with no request failing.
 *
 * Add, issue, remove: the new root is trusted by every node before any certificate is issued under it,
 * and the old one is trusted until no node shows a certificate of it. Between the steps every node is
 * looked at; while one lags, nothing goes on. How far it is stands in AWS, so a rollover that was
 * stopped at any point is taken up by running it again, on any machine.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import { readCertificate } from '../../pki/certificate.ts';
import { lagInServing, lagInTrust, type Lag } from '../checks/rollover.ts';
import {
  ROLLOVER_STEPS,
  type Generation,
  type Rollover,
  type RolloverPorts,
  type RolloverStep,
} from './ports.ts';

/** How often the nodes are looked at while one lags. */
const LOOK_EVERY_MS = 100;

export interface RolloverOptions {
  /** The last step to do now; all of them unless given. */
  readonly until?: RolloverStep;
  /** How long to wait, at each step, for the last node. */
  readonly waitMs: number;
}

export interface DoneStep {
  readonly step: RolloverStep;
  readonly ms: number;
}

export interface RolloverResult {
  readonly rollover: Rollover;
  /** What this run did. */
  readonly steps: readonly DoneStep[];
}

/**
 * Starts a rollover, or takes up the one that is under way, and does its steps up to `until`.
 *
 * @throws {TokenmeshError} `ERR_ROLLOVER_NODE_LAGS`, naming each node that lags and what to do;
 *   `ERR_ROLLOVER_ELSEWHERE` when another operator does the same.
 */
export async function rollOver(
  ports: RolloverPorts,
  hierarchy: Hierarchy,
  options: RolloverOptions,
): Promise<RolloverResult> {
  let rollover = await takeUp(ports, hierarchy);
  const steps: DoneStep[] = [];
  const last = ROLLOVER_STEPS.indexOf(options.until ?? 'done');
  while (rollover.step !== 'done' && ROLLOVER_STEPS.indexOf(rollover.step) <= last) {
    const { step } = rollover;
    const started = ports.clock().getTime();
    rollover = await advance(ports, rollover, await tryStep(ports, rollover, options.waitMs));
    steps.push({ step, ms: ports.clock().getTime() - started });
  }
  return { rollover, steps };
}

async function takeUp(ports: RolloverPorts, hierarchy: Hierarchy): Promise<Rollover> {
  const found = await ports.records.read(hierarchy);
  if (found !== undefined && found.step !== 'done') return found;
  const startedAt = ports.clock().toISOString();
  const rollover: Rollover = {
    hierarchy,
    step: 'create',
    from: found?.to ?? (await ports.authorities.newest(hierarchy)),
    startedAt,
    updatedAt: startedAt,
    revision: (found?.revision ?? 0) + 1,
    writtenBy: ports.runId,
  };
  await ports.records.write(rollover);
  return rollover;
}

/** What a step adds to the record. */
type Outcome = Pick<Rollover, 'to'>;

/** The record is written after the step has held, so that one which was cut short is done again. */
async function advance(ports: RolloverPorts, rollover: Rollover, outcome: Outcome): Promise<Rollover> {
  const next: Rollover = {
    ...rollover,
    ...outcome,
    step: ROLLOVER_STEPS[ROLLOVER_STEPS.indexOf(rollover.step) + 1] ?? 'done',
    updatedAt: ports.clock().toISOString(),
    revision: rollover.revision + 1,
    writtenBy: ports.runId,
  };
  await ports.records.write(next);
  await ports.afterStep(next);
  return next;
}

/** A step that was cut short has changed something all the same, and what follows it has to know. */
async function tryStep(ports: RolloverPorts, rollover: Rollover, waitMs: number): Promise<Outcome> {
  try {
    return await doStep(ports, rollover, waitMs);
  } catch (error) {
    // Its own failure would hide the one that matters; the next run follows again.
    await ports.afterStep(rollover).catch(() => {});
    throw error;
  }
}

async function doStep(ports: RolloverPorts, rollover: Rollover, waitMs: number): Promise<Outcome> {
  const { hierarchy, from } = rollover;
  switch (rollover.step) {
    case 'create':
      ports.progress('making the new root and subordinate CA');
      return { to: await ports.authorities.create(hierarchy, from.generation + 1) };
    case 'trust':
      return await trustBoth(ports, rollover, waitMs);
    case 'issue':
      return await issue(ports, rollover, waitMs);
    case 'retire':
      return await retire(ports, rollover, waitMs);
    case 'done':
      return {};
  }
}

async function trustBoth(ports: RolloverPorts, rollover: Rollover, waitMs: number): Promise<Outcome> {
  const { hierarchy, from } = rollover;
  const to = requireNew(rollover);
  await ports.revocation.prepare(hierarchy, [to, from]);
  await publishTrust(ports, rollover, [to, from], waitMs);
  return {};
}

async function issue(ports: RolloverPorts, rollover: Rollover, waitMs: number): Promise<Outcome> {
  const { hierarchy, from } = rollover;
  const to = requireNew(rollover);
  // Somebody may have written the bundle since, or a node have come up that has not read it yet.
  await publishTrust(ports, rollover, [to, from], waitMs);
  await ports.certificates.issueFrom(hierarchy, to, ports.progress);
  await untilServed(ports, hierarchy, to, waitMs);
  return {};
}

async function retire(ports: RolloverPorts, rollover: Rollover, waitMs: number): Promise<Outcome> {
  const { hierarchy, from } = rollover;
  const to = requireNew(rollover);
  await untilServed(ports, hierarchy, to, waitMs);
  await publishTrust(ports, rollover, [to], waitMs);
  await ports.revocation.prepare(hierarchy, [to]);
  await ports.certificates.deleteReplaced(hierarchy, to);
  await ports.authorities.disable(from);
  return {};
}

async function publishTrust(
  ports: RolloverPorts,
  { hierarchy, from, to }: Rollover,
  generations: readonly Generation[],
  waitMs: number,
): Promise<void> {
  const roots = generations.map((each) => each.rootCertificate);
  const serials = generations.map(rootSerial);
  const known = [from, ...(to === undefined ? [] : [to])].map(rootSerial);
  const version = await ports.trust.publish(hierarchy, roots);
  await untilNoneLags(ports, `the trust bundle with ${roots.length} roots`, waitMs, async () => {
    const facts = await ports.nodes.trusts(hierarchy, known);
    return facts.flatMap((each) => lagInTrust(each, version, serials));
  });
}

function rootSerial({ rootCertificate }: Generation): string {
  return readCertificate(rootCertificate).serial;
}

async function untilServed(
  ports: RolloverPorts,
  hierarchy: Hierarchy,
  generation: Generation,
  waitMs: number,
): Promise<void> {
  const role: CertificateRole = hierarchy === 'clients' ? 'client' : 'server';
  await untilNoneLags(ports, 'the new certificates on new connections', waitMs, async () =>
    (await ports.nodes.serves(role, generation)).flatMap(lagInServing),
  );
}

async function untilNoneLags(
  ports: RolloverPorts,
  what: string,
  waitMs: number,
  look: () => Promise<readonly Lag[]>,
): Promise<void> {
  const deadline = ports.clock().getTime() + waitMs;
  for (;;) {
    const lags = await look();
    if (lags.length === 0) return;
    if (ports.clock().getTime() >= deadline) throw nodesLag(what, waitMs, lags);
    ports.progress(`${what}: waiting for ${[...new Set(lags.map(({ node }) => node))].join(', ')}`);
    await ports.sleep(LOOK_EVERY_MS);
  }
}

function requireNew({ hierarchy, to }: Rollover): Generation {
  if (to !== undefined) return to;
  throw new TokenmeshError({
    code: 'ERR_ROLLOVER_RECORD',
    message: `the record of the rollover of ${hierarchy} is not usable: expected the new CA, got none`,
    remedy: `delete the secret of the record and start the rollover again: npm run mesh -- ca rollover ${hierarchy}`,
  });
}

function nodesLag(what: string, waitMs: number, lags: readonly Lag[]): TokenmeshError {
  const each = lags.map(({ node, lacks, remedy }) => `${node}: ${lacks} (${remedy})`);
  return new TokenmeshError({
    code: 'ERR_ROLLOVER_NODE_LAGS',
    message: `the rollover does not go on: expected ${what} in every node within ${waitMs / 1000} s, got ${each.join('; ')}`,
    remedy: 'nothing was taken away: bring the named nodes along, then run the same command again',
  });
}
