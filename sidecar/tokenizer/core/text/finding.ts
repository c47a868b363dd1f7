import type { FieldClass } from '../field-class.ts';

/** What can be found. A security code can be found, and is never stored. */
export const FINDING_CLASSES = [
  'pan',
  'iban',
  'ssn',
  'email',
  'ip',
  'phone',
  'cvv',
  'expiry',
  'name',
  'address',
] as const satisfies readonly (FieldClass | 'cvv')[];

export type FindingClass = (typeof FINDING_CLASSES)[number];

/** Below this a detector's guess is worth less than the text that it would take away. */
export const LEAST_CONFIDENCE = 0.5;

export interface Finding {
  readonly class: FindingClass;
  /** In UTF-16 code units of the text that was searched. */
  readonly start: number;
  readonly end: number;
  /** From 0 to 1: a rank among findings, not a probability. */
  readonly confidence: number;
  /** The value in the form that its class is checked in, which need not be the form it is written in. */
  readonly value: string;
}

/**
 * Findings of which no two overlap, in the order of the text.
 *
 * Of two that overlap the longer stays, so that what is taken away is never
 * less than what either saw; of equal length the more confident, then the one
 * whose class comes first in {@link FINDING_CLASSES}.
 */
export function withoutOverlaps(findings: readonly Finding[]): Finding[] {
  return keepDisjoint(findings, stronger);
}

/** Keeps findings by the given order, each unless it overlaps one that was kept; sorted by their start. */
export function keepDisjoint(
  findings: readonly Finding[],
  order: (one: Finding, other: Finding) => number,
): Finding[] {
  const taken = new Set<number>();
  const kept: Finding[] = [];
  for (const finding of [...findings].sort(order)) {
    const places = placesOf(finding);
    if (places.some((place) => taken.has(place))) continue;
    for (const place of places) taken.add(place);
    kept.push(finding);
  }
  return kept.sort((one, other) => one.start - other.start);
}

function placesOf({ start, end }: Finding): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function stronger(one: Finding, other: Finding): number {
  return (
    lengthOf(other) - lengthOf(one) ||
    other.confidence - one.confidence ||
    FINDING_CLASSES.indexOf(one.class) - FINDING_CLASSES.indexOf(other.class) ||
    one.start - other.start
  );
}

function lengthOf({ start, end }: Finding): number {
  return end - start;
}
