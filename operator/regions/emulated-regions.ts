/**
 * The regions of the emulated AWS: what is replicated between them, how late, and which of them are lost.
 *
 * @module
 */

import { request } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';

export interface EmulatedRegions {
  /** That every region has the rows of. */
  readonly tables: readonly string[];
  readonly regions: readonly string[];
  readonly delaySeconds: number;
  /** Nothing is replicated: it waits until the regions are joined again. */
  readonly isPartitioned: boolean;
  /** Regions whose AWS answers nobody, and that nothing leaves or reaches. */
  readonly lost: readonly string[];
  /** How many writes of each region have not arrived in the others. */
  readonly waiting: Readonly<Record<string, number>>;
  /** How often each operation of KMS was called, in each region. */
  readonly kmsCalls: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

type Settings = Pick<EmulatedRegions, 'tables' | 'regions' | 'delaySeconds' | 'isPartitioned' | 'lost'>;

/** local/aws/emulator/regions.py */
const PATH = '/tokenmesh/regions';

/** @throws {TokenmeshError} `ERR_REGIONS_UNSUPPORTED` */
export async function readRegions(endpointUrl: string): Promise<EmulatedRegions> {
  return await ask(endpointUrl, { method: 'GET' });
}

/**
 * Once it resolves nothing arrives any more that the new settings hold back.
 *
 * @param settings - What is left out stays as it is.
 * @throws {TokenmeshError} `ERR_REGIONS_UNSUPPORTED`
 */
export async function changeRegions(
  endpointUrl: string,
  settings: Partial<Settings>,
): Promise<EmulatedRegions> {
  return await ask(endpointUrl, { method: 'PUT', body: JSON.stringify(settings) });
}

async function ask(
  endpointUrl: string,
  how: { readonly method: 'GET' | 'PUT'; readonly body?: string },
): Promise<EmulatedRegions> {
  const { statusCode, body } = await request(`${endpointUrl}${PATH}`, { ...how, reset: true });
  if (statusCode === 200) return (await body.json()) as EmulatedRegions;
  await body.dump();
  throw new TokenmeshError({
    code: 'ERR_REGIONS_UNSUPPORTED',
    message: `the AWS at ${endpointUrl} has no regions that can be parted: expected 200 of ${PATH}, got ${statusCode}`,
    remedy: 'leave AWS_ENDPOINT_URL out, so that the run starts the emulator that has them',
  });
}
