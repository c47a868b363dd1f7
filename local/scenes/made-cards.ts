/**
 * A card number that nobody has: a mark, `index` in as many digits as are left, and a check digit by Luhn's
 * algorithm (ISO/IEC 7812-1, annex B).
 */
export function cardWith(mark: string, digits: number, index: number): string {
  const payload = `${mark}${String(index).padStart(digits - mark.length - 1, '0')}`;
  const sum = payload
    .split('')
    .toReversed()
    .reduce((total, digit, place) => {
      const doubled = place % 2 === 0 ? Number(digit) * 2 : Number(digit);
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return `${payload}${(10 - (sum % 10)) % 10}`;
}
