/**
 * Bytes as hexadecimal whose digits are written as letters, g to p.
 *
 * A digest in plain hexadecimal holds rows of digits, some of which pass for a card number: whoever
 * scans the audit for card numbers must find none.
 */
export function lettersOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)));
}
