/**
 * Which hierarchy of which mesh a CA stands in: told by its tags, and by nothing else.
 *
 * A rollover puts a new root and subordinate, the next generation, in the place of the ones before.
 *
 * @module
 */

import type { Hierarchy } from '../mesh/definition.ts';
import { OWNER_TAG_KEYS, type Tag } from './certificate-owner.ts';

export interface AuthorityPlace {
  readonly mesh: string;
  readonly hierarchy: Hierarchy;
  /** From 1. */
  readonly generation: number;
}

const HIERARCHY_KEY = 'tokenmesh:hierarchy';
const GENERATION_KEY = 'tokenmesh:generation';

export function hierarchyTags({ mesh, hierarchy }: Omit<AuthorityPlace, 'generation'>): Tag[] {
  return [
    { key: OWNER_TAG_KEYS.mesh, value: mesh },
    { key: HIERARCHY_KEY, value: hierarchy },
  ];
}

export function authorityTags(place: AuthorityPlace): Tag[] {
  return [...hierarchyTags(place), { key: GENERATION_KEY, value: String(place.generation) }];
}

/** 0 where the tags name none. */
export function generationOf(tags: readonly Tag[]): number {
  const generation = Number(tags.find(({ key }) => key === GENERATION_KEY)?.value);
  return Number.isSafeInteger(generation) && generation > 0 ? generation : 0;
}
