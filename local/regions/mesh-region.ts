/**
 * What a mesh has to know of the regions, where it is in one of several.
 *
 * @module
 */

import { join } from 'node:path';
import { changeRegions } from '../../operator/regions/emulated-regions.ts';
import type { RegionPlace, RegionsState } from '../../operator/run-state.ts';
import { REPLICATED_TABLES, TABLES } from '../../sidecar/tables.ts';
import type { PrimaryKey } from '../aws/resources.ts';

export interface MeshRegion {
  readonly name: string;
  /** All of them, in the order in which they are started. */
  readonly places: readonly RegionPlace[];
  /** @default in the folder of this run, which is the first */
  readonly controlSocket?: string;
  /** The vault's key of the first region, in any other. */
  readonly replicaOf?: PrimaryKey;
}

/** "Usually within one second", as the DynamoDB developer guide says of global tables. */
const REPLICATION_DELAY_SECONDS = 0.5;

/** Before any row is written, so that none is missed: a region may have its tables later. */
export async function joinRegions(endpointUrl: string, { places }: MeshRegion): Promise<void> {
  await changeRegions(endpointUrl, {
    tables: REPLICATED_TABLES.map((role) => TABLES[role]),
    regions: places.map(({ region }) => region),
    delaySeconds: REPLICATION_DELAY_SECONDS,
  });
}

export function regionsBeside({ name, places }: MeshRegion): string[] {
  return places.map(({ region }) => region).filter((region) => region !== name);
}

/** @param directory - Of the run. */
export function regionsStateOf({ places, controlSocket }: MeshRegion, directory: string): RegionsState {
  return { places, controlSocket: controlSocket ?? join(directory, 'control.sock') };
}
