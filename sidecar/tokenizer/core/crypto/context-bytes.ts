/**
 * An encryption context as the Encryption SDK writes it: the number of entries, then each name and value
 * with its length, ordered by name (message format reference, "AAD").
 *
 * What is not there is no entry; a context without any is no bytes at all.
 */
export function contextBytes(context: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(context).toSorted();
  if (names.length === 0) return Buffer.alloc(0);
  const texts = names.flatMap((name) => [name, context[name] ?? '']);
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(2 + lengths.reduce((sum, length) => sum + 2 + length, 0));
  let end = bytes.writeUInt16BE(names.length, 0);
  texts.forEach((text, index) => {
    end = bytes.writeUInt16BE(lengths[index] ?? 0, end);
    end += bytes.write(text, end);
  });
  return bytes;
}
