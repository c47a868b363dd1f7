/**
 * DynamoDB's JSON: as the SDK's inputs and outputs, but that bytes are base64 (protocol `awsJson1_0`).
 *
 * @module
 */

/** Every `B` becomes base64. Nothing of ours has a set of bytes. */
export function toWire(value: unknown): unknown {
  if (value instanceof Uint8Array) return base64Of(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toWire);
  const wire: Record<string, unknown> = {};
  for (const name in value) wire[name] = toWire((value as Record<string, unknown>)[name]);
  return wire;
}

/** Every member `B` that is a text becomes bytes: no table or attribute of ours is called so. */
export function fromWire(wire: unknown): unknown {
  if (typeof wire !== 'object' || wire === null) return wire;
  if (Array.isArray(wire)) return wire.map(fromWire);
  const value: Record<string, unknown> = {};
  for (const name in wire) {
    const member = (wire as Record<string, unknown>)[name];
    value[name] =
      name === 'B' && typeof member === 'string' ? Buffer.from(member, 'base64') : fromWire(member);
  }
  return value;
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
