import { countrySpecs, isValidIBAN } from 'ibantools';
import type { IbanRules } from '../../core/text/ports.ts';

/** The registry of ISO 13616 as `ibantools` has it: length, structure and check digits for each country. */
export const ibanRules: IbanRules = {
  lengthOf(country) {
    return Object.hasOwn(countrySpecs, country) ? (countrySpecs[country]?.chars ?? undefined) : undefined;
  },
  isValid: (iban) => isValidIBAN(iban),
};
