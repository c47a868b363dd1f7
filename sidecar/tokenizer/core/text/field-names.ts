import { isIP } from 'node:net';
import { FIELD_CLASSES } from '../field-class.ts';
import { isToken } from '../token.ts';
import type { FindingClass } from './finding.ts';

/** Names of JSON members and URL parameters, in lower case and without signs, by what they hold. */
const NAMES: Readonly<Record<FindingClass, string>> = {
  pan: 'pan cardnumber cardno cardnum ccnumber ccnum creditcard creditcardnumber debitcardnumber primaryaccountnumber accountpan',
  cvv: 'cvv cvv2 cvc cvc2 csc securitycode cardsecuritycode cardverificationvalue cardcode cardcvc cardcvv',
  expiry: 'expiry expirydate expirationdate cardexpiry expdate exp validthru',
  iban: 'iban ibannumber bankaccountiban accountiban',
  ssn: 'ssn socialsecuritynumber socialsecurity ssnumber taxid',
  email: 'email emailaddress mail emails useremail customeremail contactemail billingemail',
  phone:
    'phone phonenumber phoneno telephone tel mobile mobilenumber mobilephone cell cellphone fax phones contactnumber homephone workphone',
  ip: 'ip ipaddress ipaddr clientip remoteaddr remoteip sourceip xforwardedfor',
  name: 'name fullname firstname lastname givenname familyname surname middlename maidenname customername cardholder cardholdername nameoncard holdername accountholder contactname username recipientname',
  address:
    'address addressline1 addressline2 addressline street streetaddress postaladdress homeaddress billingaddress shippingaddress deliveryaddress mailingaddress',
};

const CLASS_OF_NAME = new Map(
  Object.entries(NAMES).flatMap(([name, names]) =>
    names.split(' ').map((each) => [each, name as FindingClass]),
  ),
);

/** What a member of this name holds; `undefined` for a name that says nothing. */
export function classOfFieldName(name: string): FindingClass | undefined {
  return CLASS_OF_NAME.get(name.toLowerCase().replaceAll(/[\s._-]/g, ''));
}

/** A bare `name` may be that of a product, so it ranks below everything that was recognized by its shape. */
export function confidenceOfFieldName(found: FindingClass): number {
  return found === 'name' || found === 'address' ? 0.6 : 0.99;
}

/**
 * A value in the form its class is checked in; undefined where it does not fit,
 * so that "unknown" under `phone` stays as it is.
 */
export function valueOfClass(found: FindingClass, written: string): string | undefined {
  if (isToken(written)) return undefined;
  if (found === 'cvv') return /^\d{3,4}$/.test(written) ? written : undefined;
  if (found === 'ip' && isIP(written) === 0) return undefined;
  if ((found === 'name' || found === 'address') && !/\p{L}/u.test(written)) return undefined;
  const value = canonical(found, written);
  const { maxBytes, problemOf } = FIELD_CLASSES[found];
  return value.isWellFormed() && Buffer.byteLength(value) <= maxBytes && problemOf(value) === undefined
    ? value
    : undefined;
}

function canonical(found: FindingClass, written: string): string {
  if (found === 'pan') return written.replaceAll(/[ .-]/g, '');
  if (found === 'iban') return written.replaceAll(/[ .-]/g, '').toUpperCase();
  if (found === 'email') return written.replace(/%40/, '@');
  return written;
}
