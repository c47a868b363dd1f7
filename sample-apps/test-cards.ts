/**
 * Card numbers that payment processors publish for tests: well-formed, with a
 * correct check digit, and never issued to anyone.
 *
 * Everything that needs a card number takes it from here. Beside this file only
 * tests of what reads numbers write one out, and a page of documentation.
 *
 * @module
 */

export interface TestCard {
  /** The scheme, under the id that `credit-card-type` gives to it. */
  readonly scheme: string;
  /** Digits only. */
  readonly number: string;
}

/** Of every length from 13 to 19 digits except 17, which no processor publishes. */
export const TEST_CARDS: readonly TestCard[] = [
  { scheme: 'visa', number: '4111111111111111' },
  { scheme: 'visa', number: '4012888888881881' },
  { scheme: 'visa', number: '4242424242424242' },
  { scheme: 'visa', number: '4000056655665556' },
  { scheme: 'visa', number: '4222222222222' },
  { scheme: 'visa', number: '4007000000027' },
  { scheme: 'visa', number: '4917610000000000003' },
  { scheme: 'mastercard', number: '5555555555554444' },
  { scheme: 'mastercard', number: '5105105105105100' },
  { scheme: 'mastercard', number: '5200828282828210' },
  { scheme: 'mastercard', number: '2223003122003222' },
  { scheme: 'mastercard', number: '2222420000001113' },
  { scheme: 'american-express', number: '378282246310005' },
  { scheme: 'american-express', number: '371449635398431' },
  { scheme: 'american-express', number: '378734493671000' },
  { scheme: 'discover', number: '6011111111111117' },
  { scheme: 'discover', number: '6011000990139424' },
  { scheme: 'discover', number: '6011981111111113' },
  { scheme: 'jcb', number: '3566002020360505' },
  { scheme: 'jcb', number: '3530111333300000' },
  { scheme: 'unionpay', number: '6200000000000005' },
  { scheme: 'unionpay', number: '6250947000000014' },
  { scheme: 'unionpay', number: '6205500000000000004' },
  { scheme: 'diners-club', number: '30569309025904' },
  { scheme: 'diners-club', number: '38520000023237' },
  { scheme: 'diners-club', number: '3056930009020004' },
  { scheme: 'maestro', number: '6759649826438453' },
  { scheme: 'maestro', number: '586824160825533338' },
];

/**
 * The first published number of a scheme with so many digits.
 *
 * @throws {RangeError} where the list has none: a mistake of the caller.
 */
export function testCard(scheme: string, digits: number): TestCard {
  const found = TEST_CARDS.find((card) => card.scheme === scheme && card.number.length === digits);
  if (found === undefined) throw new RangeError(`no test card of ${scheme} with ${digits} digits is listed`);
  return found;
}
