/**
 * What a rollover needs of the outside, in its own words.
 *
 * @module
 */

import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import type { NodeServes, NodeTrusts } from '../checks/rollover.ts';

/** A root and its subordinate, the n-th of a hierarchy. */
export interface Generation {
  readonly generation: number;
  readonly rootArn: string;
  readonly subordinateArn: string;
  /** PEM. */
  readonly rootCertificate: string;
}

/** The steps in their order; a rollover is at the step that is to be done next. */
export const ROLLOVER_STEPS = ['create', 'trust', 'issue', 'retire', 'done'] as const;
export type RolloverStep = (typeof ROLLOVER_STEPS)[number];

/** How far the rollover of a hierarchy is. Holds nothing secret. */
export interface Rollover {
  readonly hierarchy: Hierarchy;
  readonly step: RolloverStep;
  readonly from: Generation;
  /** Absent until it is made. */
  readonly to?: Generation;
  readonly startedAt: string;
  readonly updatedAt: string;
  /** Counts the writes of this hierarchy's record, over all rollovers. */
  readonly revision: number;
  /** The run that wrote this revision: what two operators write is never the same. */
  readonly writtenBy: string;
}

/** Keeps how far a rollover is where any operator's machine finds it. */
export interface RolloverRecords {
  read(hierarchy: Hierarchy): Promise<Rollover | undefined>;
  /**
   * Must refuse when another has written this revision already: of two operators, one goes on.
   *
   * @throws {TokenmeshError} `ERR_ROLLOVER_ELSEWHERE`
   */
  write(rollover: Rollover): Promise<void>;
}

export interface Authorities {
  /** The newest whole generation. @throws {TokenmeshError} `ERR_AUTHORITY_UNKNOWN` */
  newest(hierarchy: Hierarchy): Promise<Generation>;
  /** Makes a generation, or takes up where the making of it stopped. */
  create(hierarchy: Hierarchy, generation: number): Promise<Generation>;
  /** Must do nothing to one that is disabled already. */
  disable(generation: Generation): Promise<void>;
}

/** What peers trust of a hierarchy. */
export interface TrustBundles {
  /** Publishes these roots (PEM) and no others, unless they are what is published. @returns The version. */
  publish(hierarchy: Hierarchy, roots: readonly string[]): Promise<string>;
}

/**
 * Where a bundle's revocation lists go: once a bundle has a CRL, every CA of a chain needs one, so the new
 * generation's must be there before its root is.
 */
export interface RevocationLists {
  /** Names the CAs of these generations, and no others, as those whose lists are to be had. */
  prepare(hierarchy: Hierarchy, generations: readonly Generation[]): Promise<void>;
}

/** The certificates of the nodes, at the side that issues them. */
export interface NodeCertificates {
  /**
   * Puts a certificate from this generation in the place of each that is not, and publishes it. Must be
   * repeatable at any point: at no moment do two certificates of one node and role have an owner.
   */
  issueFrom(hierarchy: Hierarchy, generation: Generation, progress: (line: string) => void): Promise<void>;
  /** Deletes those that were replaced. @returns How many. */
  deleteReplaced(hierarchy: Hierarchy, generation: Generation): Promise<number>;
}

/** What the nodes have and show now, looked at from outside. */
export interface Nodes {
  /** @param known - The serials of every root that the bundle has or had: where one is, the bundle is used. */
  trusts(hierarchy: Hierarchy, known: readonly string[]): Promise<readonly NodeTrusts[]>;
  serves(role: CertificateRole, generation: Generation): Promise<readonly NodeServes[]>;
}

/** What else has to follow: files of a local run that name CAs and certificates. */
export type AfterStep = (rollover: Rollover) => Promise<void>;

export interface RolloverPorts {
  readonly records: RolloverRecords;
  readonly authorities: Authorities;
  readonly trust: TrustBundles;
  readonly revocation: RevocationLists;
  readonly certificates: NodeCertificates;
  readonly nodes: Nodes;
  readonly afterStep: AfterStep;
  /** Names this run, and no other. */
  readonly runId: string;
  readonly clock: () => Date;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Told what is being waited for; a person may be watching. */
  readonly progress: (line: string) => void;
}
