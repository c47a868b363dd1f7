/**
 * Tokens that name the region which made them: `TKN-<REGION>-<uuid>`.
 *
 * The UUID has the shape of version 4, with a checksum in its last eight
 * digits: 90 bits are random. A global table judges the condition of a write in
 * each region for itself; since the region is a part of the token, two regions
 * never claim the same one.
 *
 * @module
 */

import { crc32 } from 'node:zlib';
import { TokenmeshError } from '../../../../errors/error.ts';
import { keepNothing, type TokenFormat } from './format.ts';
import { uuidOf } from './uuid.ts';

export const REGION_CODE = /^[A-Z]{2,4}$/;

const SHAPE = /^TKN-[A-Z]{2,4}-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CHECKSUM_DIGITS = 8;
const RANDOM_BITS = 122 - CHECKSUM_DIGITS * 4;

export const regionFormat: TokenFormat = {
  name: 'region',
  grammar: '"TKN-", a region of two to four capitals, "-" and a UUID whose last eight digits are a checksum',
  isCertain: true,
  canBeToldApart: true,
  keptOf: keepNothing,
  possibilities: () => 2 ** RANDOM_BITS,
  recognizes: (text) => SHAPE.test(text) && withChecksum(text) === text,
  mint: (_kept, { randomBytes, regionCode }) =>
    withChecksum(`TKN-${known(regionCode)}-${uuidOf(randomBytes(16))}`),
};

/** The region that a token names, where it is of this format. */
export function regionOf(token: string): string | undefined {
  return regionFormat.recognizes(token) ? token.split('-')[1] : undefined;
}

function withChecksum(token: string): string {
  const body = token.slice(0, -CHECKSUM_DIGITS);
  return body + crc32(body).toString(16).padStart(CHECKSUM_DIGITS, '0');
}

function known(regionCode: string | undefined): string {
  if (regionCode !== undefined && REGION_CODE.test(regionCode)) return regionCode;
  throw new TokenmeshError({
    code: 'ERR_KIND_UNSUPPORTED',
    message:
      'the format "region" is not supported here: expected a region code of two to four capitals, got none',
    remedy: 'set TOKENMESH_REGION_CODE for the tokenizer, or ask for another format',
  });
}
