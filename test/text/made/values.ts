import type { Seeded } from '../seeded.ts';

export const CARDS = [
  '{{pan:visa-16}}',
  '{{pan:visa-16| }}',
  '{{pan:visa-16|-}}',
  '{{pan:visa-16|.}}',
  '{{pan:visa-16|\u00a0}}',
  '{{pan:visa-13}}',
  '{{pan:visa-19}}',
  '{{pan:mastercard-16}}',
  '{{pan:mastercard-16| }}',
  '{{pan:mastercard-16|-}}',
  '{{pan:american-express-15}}',
  '{{pan:american-express-15| }}',
  '{{pan:american-express-15|-}}',
  '{{pan:discover-16}}',
  '{{pan:discover-16| }}',
  '{{pan:jcb-16}}',
  '{{pan:jcb-16|\u202f}}',
  '{{pan:unionpay-16| }}',
  '{{pan:unionpay-19}}',
  '{{pan:diners-club-14| }}',
  '{{pan:diners-club-14}}',
  '{{pan:diners-club-16| }}',
  '{{pan:maestro-16}}',
  '{{pan:maestro-18}}',
  '{{made:visa-16:1}}',
  '{{made:visa-16:2| }}',
  '{{made:mastercard-16:3|-}}',
  '{{made:american-express-15:4}}',
  '{{made:discover-16:5|\u2013}}',
  '{{made:jcb-16:6}}',
];

export const NAMES = [
  'Ann Lee',
  'José Alvarez',
  'Zoë Brontë',
  'Marek Nowak',
  'Aiko Tanaka',
  'Olu Adebayo',
  'Jean-Luc Petit',
  'Siobhán Kelly',
  'Priya Raman',
  'Lars Ågren',
];

export const ADDRESSES = [
  '12 Orchard Lane, Leeds LS1 4AB',
  'Lindenstraße 5, 10969 Berlin',
  '8 rue du Puits, 69002 Lyon',
  '742 Juniper Ave, Springfield, IL 62704',
  'Calle Mayor 21, 28013 Madrid',
];

const COUNTRIES = [
  ['DE', 18, ''],
  ['AT', 16, ''],
  ['ES', 20, ''],
  ['BE', 12, ''],
  ['PL', 24, ''],
  ['PT', 21, ''],
  ['GB', 14, 'WEST'],
  ['NL', 10, 'ABNA'],
  ['IE', 14, 'AIBK'],
  ['CH', 17, ''],
  ['DK', 14, ''],
  ['SE', 20, ''],
] as const;

/** Countries whose own check digits the library proves as well, so that a random number would not do. */
const PROVEN = [
  'DE89370400440532013000',
  'BE68539007547034',
  'ES9121000418450200051332',
  'FR1420041010050500013M02606',
  'NL91ABNA0417164300',
  'IT60X0542811101000000123456',
  'NO9386011117947',
  'PT50000201231234567890154',
  'PL61109010140000071219812874',
];

export function iban(choose: Seeded): string {
  if (choose.below(3) === 0) return choose.of(PROVEN);
  const [country, length, bank] = choose.of(
    COUNTRIES.filter(([code]) => ['DE', 'AT', 'GB', 'IE', 'CH', 'DK'].includes(code)),
  );
  const account = bank + choose.digits(length);
  const number = Array.from(`${account}${country}00`, (each) => String(Number.parseInt(each, 36))).join('');
  const check = 98n - (BigInt(number) % 97n);
  return `${country}${String(check).padStart(2, '0')}${account}`;
}

export function spacedIban(written: string, separator: string): string {
  return (written.match(/.{1,4}/g) ?? []).join(separator);
}

const MAILBOXES = [
  'ann',
  'j.alvarez',
  'zoe+shop',
  'marek_nowak',
  'a-tanaka',
  "o'brien",
  'x',
  'info2024',
  'olu.adebayo.jr',
];
const DOMAINS = [
  'example.com',
  'mail.example.org',
  'example.net',
  'shop.example.co.uk',
  'bücher.example',
  'a-b.example',
];

export function email(choose: Seeded): string {
  return `${choose.of(MAILBOXES)}@${choose.of(DOMAINS)}`;
}

export function ssn(choose: Seeded): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${100 + choose.below(560)}-${two(1 + choose.below(99))}-${two(10 + choose.below(89))}${choose.digits(2)}`;
}

export function ip(choose: Seeded): string {
  const last = 1 + choose.below(254);
  return choose.of([
    `192.0.2.${last}`,
    `198.51.100.${last}`,
    `203.0.113.${last}`,
    `10.${choose.below(256)}.0.${last}`,
    `2001:db8::${last.toString(16)}`,
    `2001:db8:${choose.below(9999)}:1:2:3:4:${last}`,
    `fe80::1:${last}`,
  ]);
}

/** With the country in which they are read, where they need one. */
export function phone(choose: Seeded): { written: string; country?: string } {
  const two = choose.digits(2);
  const three = choose.digits(3);
  return choose.of([
    { written: `+1 415 555 01${two}` },
    { written: `+1-202-555-01${two}` },
    { written: `+44 20 7946 0${three}` },
    { written: `+49 30 23125 ${three}` },
    { written: `+33 1 99 00 12 ${two}` },
    { written: `+61 2 5550 1${three}` },
    { written: `+442079460${three}` },
    { written: `+1 (415) 555-01${two}` },
    { written: `+81 3-1234-56${two}` },
    { written: `(415) 555-01${two}`, country: 'US' },
    { written: `415-555-01${two}`, country: 'US' },
    { written: `415.555.01${two}`, country: 'US' },
    { written: `020 7946 0${three}`, country: 'GB' },
    { written: `07400 123${three}`, country: 'GB' },
    { written: `030 23125 ${three}`, country: 'DE' },
    { written: `01 99 00 12 ${two}`, country: 'FR' },
    { written: `(02) 5550 1${three}`, country: 'AU' },
  ]);
}
