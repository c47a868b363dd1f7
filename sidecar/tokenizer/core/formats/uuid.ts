import { keepNothing, type TokenFormat } from './format.ts';

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A bare UUID of version 4 (RFC 9562 section 5.4), for columns that take nothing else. */
export const uuidFormat: TokenFormat = {
  name: 'uuid',
  grammar: 'a UUID of version 4, in lower case',
  isCertain: false,
  canBeToldApart: false,
  keptOf: keepNothing,
  possibilities: () => 2 ** 122,
  recognizes: (text) => SHAPE.test(text),
  mint: (_kept, { randomBytes }) => uuidOf(randomBytes(16)),
};

/** @param random - 16 bytes, of which six bits give way to the version and the variant. */
export function uuidOf(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const digits = bytes.toString('hex');
  return [8, 12, 16, 20, 32]
    .map((end, index, ends) => digits.slice(index === 0 ? 0 : ends[index - 1], end))
    .join('-');
}
