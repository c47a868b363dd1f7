import { passesLuhn } from '../../../sidecar/tokenizer/core/pan.ts';
import { mintToken } from '../../../sidecar/tokenizer/core/token.ts';
import type { CorpusEntry } from '../corpus.ts';
import type { Seeded } from '../seeded.ts';
import { uuid } from './mixed.ts';

/** Texts in which there is nothing to find, though it looks as if there were. */
export function negativeLines(choose: Seeded): CorpusEntry[] {
  const made = Object.entries(MAKERS).flatMap(([about, make]) =>
    Array.from({ length: 8 }, () => negative(about, make(choose))),
  );
  return [
    ...made,
    ...FIXED.map((text) => negative('lookalike', text)),
    ...UNLUCKY.map((text) => negative('a number that passes for a card', text)),
  ];
}

function negative(about: string, text: string): CorpusEntry {
  return { about: `nothing: ${about}`, parts: [text], country: 'US' };
}

const MAKERS: Readonly<Record<string, (choose: Seeded) => string>> = {
  'order number': (choose) => `Order #${choose.digits(10)} has shipped`,
  'dated order number': (choose) => `order 2026-${choose.digits(4)}-${choose.digits(4)} is late`,
  timestamp: (choose) =>
    `at 2026-03-0${1 + choose.below(9)} 1${choose.digits(1)}:${10 + choose.below(49)}:00 took 17${choose.digits(11)} ms`,
  'unix time': (choose) => `ts=17${choose.digits(8)} tsMs=17${choose.digits(11)} tsNs=17${choose.digits(17)}`,
  uuid: (choose) => `request ${uuid(choose)} failed`,
  'uuid of digits': (choose) =>
    `id ${choose.digits(8)}-${choose.digits(4)}-4${choose.digits(3)}-8${choose.digits(3)}-${choose.digits(12)}`,
  'sixteen digits that fail the check': (choose) => `number 4${unlucky(choose, 15)} on file`,
  'four groups that fail the check': (choose) => grouped(`5${unlucky(choose, 15)}`),
  'tracking number': (choose) =>
    `tracking 1Z${choose.digits(3)}AA1${choose.digits(10)}, parcel ${choose.digits(22)}`,
  version: (choose) =>
    `upgraded to v${choose.below(20)}.${choose.below(20)}.${choose.below(20)}.${choose.below(20)} (build ${choose.digits(7)})`,
  'user agent': (choose) => `Mozilla/5.0 Chrome/1${choose.digits(2)}.0.0.0 Safari/537.36`,
  'phone-like id': (choose) =>
    `ticket ${choose.digits(3)}-${choose.digits(3)}-${choose.digits(3)} and case ${choose.digits(10)}`,
  'our own token': (choose) =>
    `token ${mintToken(Uint8Array.from({ length: 16 }, () => choose.below(256)))} stored`,
  hash: (choose) => `sha256 ${uuid(choose).replaceAll('-', '')}${uuid(choose).replaceAll('-', '')}`,
  'amount and rate': (choose) =>
    `EUR ${choose.digits(3)},${choose.digits(3)}.${choose.digits(2)} at 0.${choose.digits(16)}`,
};

/** Fails the Luhn check behind either beginning that is put before it. */
function unlucky(choose: Seeded, count: number): string {
  const digits = choose.digits(count);
  return passesLuhn(`4${digits}`) || passesLuhn(`5${digits}`) ? unlucky(choose, count) : digits;
}

function grouped(digits: string): string {
  return `ref ${(digits.match(/.{4}/g) ?? []).join(' ')}`;
}

const FIXED = [
  'npm i @types/node@24.1.0 react@18.2.0',
  'git clone git@git.example.com:team/repo.git',
  'https://user:secret@host.example.com/path',
  'scp deploy@web1.example.com:/var/www/index.html .',
  'see icon@2x.png and logo@3x.png',
  '@everyone meet @ 5pm',
  'user@localhost said hi',
  'SSN 987-65-4321 is not one',
  'ssn 000-12-3456 nor 666-12-3456',
  '123-00-4567 and 123-45-0000',
  'part no. 123-45-6789-01',
  'section 1.2.3.4 of the contract',
  'OID 1.3.6.1.4.1.311',
  'range 300.1.1.1 is wrong',
  'at 12:34:56 and 01:02',
  'std::vector<int> a::b',
  'MAC 00:1A:2B:3C:4D:5E',
  'ratio 16:9:4',
  'DE00370400440532013000 fails its check',
  'GB12 is short',
  'XX89370400440532013000',
  'ISBN 978-3-16-148410-0',
  'EAN 4006381333931',
  'IMEI 490154203237518',
  'ICCID 8914800000000000000',
  'flight AB1234 seat 12A',
  '12/27 was a Saturday',
  'code 123 is wrong',
  'cvv is on the back',
  '{"name":"","email":"n/a","phone":"none"}',
  '{"hostname":"web1","filename":"a.txt"}',
  'π is 3.14159265358979',
  'call 911',
  'room 555-0132',
  'batch 20260301123456789',
  'lat 52.520008, lon 13.404954',
  'A4 210x297, 1920x1080',
];

/** One number of ten passes the Luhn check: nothing in these texts tells them from cards. */
const UNLUCKY = [
  'order {{made:visa-16:21}} is late',
  'job {{made:mastercard-16:22}} done',
  'trace={{made:visa-16:23}}',
  'batch {{made:american-express-15:24}}',
];
