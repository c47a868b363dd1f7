import { findPhoneNumbersInText, isSupportedCountry, type CountryCode } from 'libphonenumber-js/min';
import type { PhoneNumbers } from '../../core/text/ports.ts';

/** The numbering plans of Google's libphonenumber, with its smallest metadata: enough to find, not to tell a mobile from a landline. */
export const phoneNumbers: PhoneNumbers = {
  knowsCountry: (country) => isSupportedCountry(country),
  findIn(text, country) {
    const options = country === undefined ? {} : { defaultCountry: country as CountryCode };
    return findPhoneNumbersInText(text, options).map(({ startsAt, endsAt, number }) => ({
      start: startsAt,
      end: endsAt,
      number: number.number,
    }));
  },
};
