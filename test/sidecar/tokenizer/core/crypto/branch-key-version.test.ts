import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { branchKeyVersionOf } from '../../../../../sidecar/tokenizer/core/crypto/branch-key-version.ts';
import { sealerUnderTest } from '../../../../support/sealer-under-test.ts';

const context = { tenant: 'shop', token: 'tok_1', field: 'card', class: 'pan' } as const;

async function sealed(): Promise<{ message: Uint8Array; version: string | undefined }> {
  const { sealer, source } = sealerUnderTest(['shop']);
  const message = await sealer.seal(Buffer.from('4111111111111111'), context);
  return { message, version: (await source.describe('shop')).active };
}

/** Where the header of such a message ends. */
const HEADER_BYTES = 280;

describe('the version of the branch key in a message', () => {
  it('is the one that it was sealed under', async () => {
    const { message, version } = await sealed();
    expect(version).toBeDefined();
    expect(branchKeyVersionOf(message)).toBe(version);
  });

  it('is read whatever the suite is, and not from format 1', async () => {
    const { message, version } = await sealed();
    const [other, older] = [Buffer.from(message), Buffer.from(message)];
    other.writeUInt16BE(0x0578, 1);
    older.writeUInt8(1, 0);
    expect([branchKeyVersionOf(other), branchKeyVersionOf(older)]).toEqual([version, undefined]);
  });

  it('is not there in what was cut before it', async () => {
    const { message, version } = await sealed();
    const lengths = Array.from({ length: message.length }, (_, length) => length);
    const found = lengths.map((length) => branchKeyVersionOf(message.subarray(0, length)));
    const first = found.indexOf(version);
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(HEADER_BYTES);
    expect(new Set(found.slice(0, first))).toEqual(new Set([undefined]));
  });

  it('is undefined or some text for any bytes, and never an exception', async () => {
    const { message } = await sealed();
    const anything = fc.uint8Array({ maxLength: 400 });
    const almost = fc
      .tuple(fc.nat(message.length - 1), fc.nat(255))
      .map(([at, byte]) => Uint8Array.from(message).fill(byte, at, at + 1));
    const begun = fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.of(2, 4, 0x78, ...rest));
    fc.assert(
      fc.property(fc.oneof(anything, almost, begun), (bytes) => {
        const version = branchKeyVersionOf(bytes);
        return version === undefined || /^[\da-f-]{36}$/.test(version);
      }),
      { numRuns: 2_000 },
    );
  });
});
