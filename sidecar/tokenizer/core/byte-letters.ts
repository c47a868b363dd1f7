/**
 * A way to write bytes with sixteen letters of one's choice, one for each half byte, the high half first.
 *
 * Made from a table of all bytes, since every request writes some.
 */
export function byteLetters(alphabet: string): (bytes: Uint8Array) => string {
  const pairs = Array.from(
    { length: 256 },
    (_, byte) => alphabet.charAt(byte >> 4) + alphabet.charAt(byte & 0xf),
  );
  return (bytes) => {
    let letters = '';
    for (const byte of bytes) letters += pairs[byte] ?? '';
    return letters;
  };
}
