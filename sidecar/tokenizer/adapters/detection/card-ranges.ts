import creditCardType from 'credit-card-type';
import type { CardRanges } from '../../core/text/ports.ts';

/** The library lists the lengths that Visa issues today; thirteen digits are still accepted, and published for tests. */
const OLD_VISA_DIGITS = 13;

/** Maestro's specific ranges; the library also lists the bare 6, of which Discover, UnionPay and others have their parts. */
const MAESTRO = /^(?:493698|50|5[6-9]|63|67)/;

/** The issuer ranges of `credit-card-type`, which follows what the schemes publish. */
export const cardRanges: CardRanges = {
  claimOf(digits) {
    if (!/^[1-9]\d+$/.test(digits)) return 'none';
    const [match] = creditCardType(digits).filter((each) => lengthsOf(each).includes(digits.length));
    if (match === undefined) return 'none';
    return match.type === 'maestro' && !MAESTRO.test(digits) ? 'loose' : 'known';
  },
};

function lengthsOf({ type, lengths }: { type: string; lengths: readonly number[] }): readonly number[] {
  return type === 'visa' ? [OLD_VISA_DIGITS, ...lengths] : lengths;
}
