import { describe, expect, it } from '@jest/globals';
import type { EncryptionContext } from '../../sidecar/tokenizer/core/encryption-context.ts';
import type { FieldSealer } from '../../sidecar/tokenizer/core/ports.ts';

const HERE: EncryptionContext = { tenant: 'shop', token: 'tkn_here', field: 'card', class: 'pan' };
const PAN = Buffer.from('4111111111111111');

/** What every {@link FieldSealer} does that has the keys of the tenants `shop` and `other`, and not of `nobody`. */
export function describeFieldSealer(name: string, makeSealer: () => FieldSealer): void {
  describe(`${name} keeps the contract of a field sealer`, () => {
    it.each([
      ['one byte', Buffer.from('x')],
      ['a card number', PAN],
      ['the largest value', Buffer.alloc(4096, 'a')],
      ['text beyond ASCII', Buffer.from('Zoë 日本 🂡')],
    ])('opens what it sealed: %s', async (_, plaintext) => {
      const sealer = makeSealer();
      const opened = await sealer.open(await sealer.seal(plaintext, HERE), HERE);
      expect(Buffer.from(opened).equals(plaintext)).toBe(true);
    });

    it('seals one value into two messages that differ, neither of them showing it', async () => {
      const sealer = makeSealer();
      const [one, other] = [await sealer.seal(PAN, HERE), await sealer.seal(PAN, HERE)];
      expect(Buffer.from(one).equals(other)).toBe(false);
      expect(Buffer.from(one).includes(PAN)).toBe(false);
    });

    it.each<[string, Partial<EncryptionContext>]>([
      ['another tenant', { tenant: 'other' }],
      ['another token', { token: 'tkn_there' }],
      ['another field', { field: 'card2' }],
      ['another class', { class: 'text' }],
      ['a revision', { revision: '1' }],
    ])('refuses a message that was moved to %s', async (_, change) => {
      const sealer = makeSealer();
      const message = await sealer.seal(PAN, HERE);
      await expect(sealer.open(message, { ...HERE, ...change })).rejects.toMatchObject({
        code: 'ERR_RECORD_UNOPENABLE',
        message: 'the record does not open',
      });
    });

    it('opens a message under its own revision, and under no later one', async () => {
      const sealer = makeSealer();
      const first = { ...HERE, revision: '1' };
      const message = await sealer.seal(PAN, first);
      expect(Buffer.from(await sealer.open(message, first)).equals(PAN)).toBe(true);
      for (const context of [{ ...HERE, revision: '2' }, HERE]) {
        await expect(sealer.open(message, context)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
      }
    });

    it.each([
      ['empty', () => Buffer.alloc(0)],
      ['not a message', () => Buffer.from('not a message at all, though long enough')],
      ['cut by one byte', (message: Buffer) => message.subarray(0, -1)],
      ['changed in its first byte', (message: Buffer) => flipped(message, 0)],
      ['changed in its middle', (message: Buffer) => flipped(message, message.length >> 1)],
      ['changed in its last byte', (message: Buffer) => flipped(message, message.length - 1)],
    ])('refuses a message that is %s, with the same text', async (_, change) => {
      const sealer = makeSealer();
      const message = change(Buffer.from(await sealer.seal(PAN, HERE)));
      await expect(sealer.open(message, HERE)).rejects.toMatchObject({
        code: 'ERR_RECORD_UNOPENABLE',
        message: 'the record does not open',
      });
    });

    it('refuses to seal for a tenant without a key', async () => {
      await expect(makeSealer().seal(PAN, { ...HERE, tenant: 'nobody' })).rejects.toMatchObject({
        code: 'ERR_KEY_UNAVAILABLE',
      });
    });

    it('seals and opens many at a time with keys that are new to it', async () => {
      const sealer = makeSealer();
      const contexts = Array.from({ length: 40 }, (_, index) => ({ ...HERE, field: `card${index}` }));
      const messages = await Promise.all(contexts.map((context) => sealer.seal(PAN, context)));
      const opened = await Promise.all(
        contexts.map((context, index) => sealer.open(messages[index] ?? PAN, context)),
      );
      expect(opened.every((plaintext) => Buffer.from(plaintext).equals(PAN))).toBe(true);
    });
  });
}

function flipped(message: Buffer, at: number): Buffer {
  const changed = Buffer.from(message);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}
