/**
 * What the detectors need to know of numbering plans, in their own words.
 *
 * @module
 */

export interface CardRanges {
  /**
   * Whether an issuer range claims a number of this length.
   *
   * @returns `loose` for a range so wide that it says little: Maestro's is every number that starts with 6.
   */
  claimOf(digits: string): 'known' | 'loose' | 'none';
}

export interface IbanRules {
  /** How long an IBAN of a country is; undefined where it has none. */
  lengthOf(country: string): number | undefined;
  /** @param iban - Capitals and digits alone. */
  isValid(iban: string): boolean;
}

export interface PhoneNumbers {
  knowsCountry(country: string): boolean;
  /** @param country - Where a number without a country code is from; without it only those with one are found. */
  findIn(text: string, country: string | undefined): readonly FoundPhone[];
}

export interface FoundPhone {
  readonly start: number;
  readonly end: number;
  /** E.164, without an extension. */
  readonly number: string;
}

export interface DetectionPorts {
  readonly cardRanges: CardRanges;
  readonly ibanRules: IbanRules;
  readonly phoneNumbers: PhoneNumbers;
  /** Lets other requests have their turn. */
  readonly pause: () => Promise<void>;
}
