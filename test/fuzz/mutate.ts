/** A number from 0 up to below the bound. */
export type Below = (bound: number) => number;

type Mutation = (bytes: Buffer, below: Below, others: readonly Buffer[]) => Buffer;

/** Longer inputs are no better, and slower. */
const MAX_BYTES = 4_096;

/** At the edges of lengths, of signs and of what a text may hold. */
const NOTABLE = [0, 1, 9, 10, 13, 32, 34, 45, 46, 48, 57, 58, 64, 91, 92, 93, 123, 125, 127, 128, 192, 255];

const at = (bytes: Buffer, below: Below): number => below(bytes.length + 1);

const MUTATIONS: readonly Mutation[] = [
  (bytes, below) => changed(bytes, below, (byte) => byte ^ (1 << below(8))),
  (bytes, below) => changed(bytes, below, () => NOTABLE[below(NOTABLE.length)] ?? 0),
  (bytes, below) => changed(bytes, below, (byte) => byte + below(9) - 4),
  (bytes, below) => replaced(bytes, at(bytes, below), 0, Buffer.of(below(256))),
  (bytes, below) => replaced(bytes, at(bytes, below), 1 + below(8), Buffer.alloc(0)),
  (bytes, below) => {
    const start = at(bytes, below);
    return replaced(bytes, at(bytes, below), 0, bytes.subarray(start, start + below(64)));
  },
  (bytes, below, others) => {
    const other = others[below(others.length)] ?? bytes;
    const start = at(other, below);
    return replaced(bytes, at(bytes, below), below(32), other.subarray(start, start + below(128)));
  },
];

/** Some random changes, one on the other. */
export function mutate(bytes: Buffer, below: Below, others: readonly Buffer[]): Buffer {
  let mutated = bytes;
  for (let count = 1 + below(5); count > 0; count -= 1) {
    mutated = MUTATIONS[below(MUTATIONS.length)]?.(mutated, below, others) ?? mutated;
  }
  return mutated.subarray(0, MAX_BYTES);
}

function changed(bytes: Buffer, below: Below, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const place = below(copy.length);
  copy[place] = change(copy[place] ?? 0) & 0xff;
  return copy;
}

function replaced(bytes: Buffer, start: number, length: number, by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(start + length)]);
}
