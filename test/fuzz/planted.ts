/** A fault behind four conditions, each of a byte: one input of 2^32, for whom nothing leads to it. */
export function planted(bytes: Uint8Array): void {
  if (bytes[0] !== 0x74) return;
  if (bytes[1] !== 0x6b) return;
  if (bytes[2] !== 0x6e) return;
  if (bytes[3] !== 0x5f) return;
  throw new Error('found');
}
