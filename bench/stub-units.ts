import type { WireItem, WireValue } from './stub-conditions.ts';

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

/** What a write of the item is billed as, in write request units (DynamoDB: read/write capacity modes). */
export function writeUnits(item: WireItem): number {
  return Math.max(1, Math.ceil(itemBytes(item) / WRITE_UNIT_BYTES));
}

/** What a strongly consistent read of the item is billed as; of none there is to be paid for one unit. */
export function readUnits(item: WireItem | undefined): number {
  return item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / READ_UNIT_BYTES));
}

/** The size that DynamoDB bills: names and values, binary ones as they are and not in base64. */
export function itemBytes(item: WireItem): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + valueBytes(value), 0);
}

function valueBytes(value: WireValue): number {
  const { S, N, B, M, L } = value as { S?: string; N?: string; B?: string; M?: WireItem; L?: WireValue[] };
  if (S !== undefined) return Buffer.byteLength(S);
  if (B !== undefined) return Math.floor((B.length * 3) / 4);
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  if (M !== undefined) return 3 + itemBytes(M) + Object.keys(M).length;
  if (L !== undefined) return 3 + L.reduce((sum, each) => sum + valueBytes(each) + 1, 0);
  return 1;
}
