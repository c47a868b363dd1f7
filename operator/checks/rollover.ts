/**
 * Judges whether a node has come along with a rollover. One that lags is named, with what to do.
 *
 * @module
 */

import type { CertificateRole } from '../../mesh/definition.ts';

interface Problem {
  readonly message: string;
  readonly remedy: string;
}

/** What a node has of one trust bundle. */
export interface NodeTrusts {
  readonly node: string;
  /** The version of the bundle that its agent has handed over; undefined where the agent does not answer. */
  readonly version: string | undefined;
  /** What the agent has against the newest one. */
  readonly problems: readonly Problem[];
  /** Whether its Envoy uses this bundle at all: one that takes no mutual connection asks for no client's. */
  readonly usesBundle: boolean;
  /** The serials of the roots in each place where its Envoy uses the bundle; undefined where Envoy does not answer. */
  readonly loadedRoots: readonly (readonly string[])[] | undefined;
}

/** What a node shows of one certificate. */
export interface NodeServes {
  readonly node: string;
  readonly role: CertificateRole;
  /** What is published for it; undefined where nothing is that could be used. */
  readonly publishedSerial: string | undefined;
  /** What is published leads to the root of the generation asked about. */
  readonly isOfGeneration: boolean;
  /** What a new connection shows. */
  readonly servedSerial: string | undefined;
  readonly problems: readonly Problem[];
}

export interface Lag {
  readonly node: string;
  /** What is missing. */
  readonly lacks: string;
  readonly remedy: string;
}

/** @param rootSerials - Of the bundle: every place must have these and no others. */
export function lagInTrust(facts: NodeTrusts, version: string, rootSerials: readonly string[]): Lag[] {
  const { node, problems, loadedRoots } = facts;
  const [problem] = problems;
  if (facts.version === undefined) return [lag(node, 'its sidecar does not answer', SEE_STATUS)];
  if (problem !== undefined) return [lag(node, problem.message, problem.remedy)];
  if (facts.version !== version)
    return [lag(node, 'its sidecar has not taken the trust bundle', seeLog(node))];
  if (loadedRoots === undefined) return [lag(node, 'its Envoy does not answer', SEE_STATUS)];
  const wanted = rootSerials.toSorted().join();
  const isLoaded = loadedRoots.every((roots) => roots.toSorted().join() === wanted);
  if (isLoaded && (loadedRoots.length > 0 || !facts.usesBundle)) return [];
  return [lag(node, 'its Envoy has not loaded the trust bundle', seeEnvoy(node))];
}

export function lagInServing(facts: NodeServes): Lag[] {
  const { node, role, publishedSerial, servedSerial } = facts;
  const [problem] = facts.problems;
  if (publishedSerial === undefined)
    return [lag(node, `no ${role} certificate is published for it`, ROLL_AGAIN)];
  if (!facts.isOfGeneration) return [lag(node, `its ${role} certificate is not of the new CA`, ROLL_AGAIN)];
  if (servedSerial === publishedSerial) return [];
  if (problem !== undefined) return [lag(node, problem.message, problem.remedy)];
  return [lag(node, `a new connection does not show its new ${role} certificate`, seeLog(node))];
}

function lag(node: string, lacks: string, remedy: string): Lag {
  return { node, lacks, remedy };
}

const SEE_STATUS = 'see whether it runs: npm run mesh -- status';
const ROLL_AGAIN = 'run the command again: it takes up where it stopped';

function seeLog(node: string): string {
  return `see the log of ${node}'s sidecar`;
}

function seeEnvoy(node: string): string {
  return `look for update_rejected in the stats of ${node}'s Envoy`;
}
