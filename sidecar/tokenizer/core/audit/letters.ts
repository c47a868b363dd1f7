import { byteLetters } from '../byte-letters.ts';

/**
 * Bytes as hexadecimal whose digits are written as letters, g to p.
 *
 * A digest in plain hexadecimal holds rows of digits, some of which pass for a card number: whoever
 * scans the audit for card numbers must find none.
 */
export const lettersOf = byteLetters('ghijklmnopabcdef');
