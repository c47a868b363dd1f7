import type { FindingClass } from '../../../sidecar/tokenizer/core/text/finding.ts';
import type { CorpusEntry } from '../corpus.ts';
import type { Seeded } from '../seeded.ts';
import { ADDRESSES, CARDS, email, iban, ip, NAMES, phone, spacedIban, ssn } from './values.ts';

/** A place for one value, between two texts. */
type Frame = readonly [before: string, after: string];

const CARD_FRAMES: readonly Frame[] = [
  ['Please charge card ', ' for the order.'],
  ['', ''],
  ['card: ', ''],
  ['', ' is my Visa card'],
  ['{"card_number":"', '","amount":1200}'],
  ['{\\"pan\\":\\"', '\\"}'],
  ['https://shop.example/pay?card_number=', '&step=2'],
  ['2026-03-01T10:00:00Z INFO payment pan=', ' ok'],
  ['| card | ', ' |'],
  ['**Card:** `', '`'],
  ['Kreditkarte ', ', gültig bis Ende'],
  ['Mi tarjeta es ', '.'],
  ['カード番号は', 'です'],
  ['卡号', '。'],
  ['Номер карты: ', ';'],
  ['😀 card 💳 ', ' 😀'],
  ['cards "', '" declined'],
  ['my card number is ', ', thanks'],
  ["cc='", "'"],
  ['(credit card ', ')'],
];

const BARE_CARD_FRAMES: readonly Frame[] = [
  ['He wrote ', ' on the form.'],
  ['id;amount\n7;', ''],
  ['> ', '\n> regards'],
  ['value=', ' status=ok'],
  ['- ', ''],
  ['\t', '\t12.50'],
];

const IBAN_FRAMES: readonly Frame[] = [
  ['Please pay to ', ' by Friday.'],
  ['IBAN: ', ''],
  ['{"iban":"', '"}'],
  ['Überweisung an ', ', danke'],
  ['', ''],
  ['| account | ', ' |'],
  ['https://bank.example/?iban=', '&x=1'],
  ['virement vers ', ' (urgent)'],
  ['口座', 'へ送金'],
  ['INFO sepa to=', ' state=done'],
];

const EMAIL_FRAMES: readonly Frame[] = [
  ['Write to ', ' today.'],
  ['', ''],
  ['From: Ann <', '>'],
  ['{"email":"', '"}'],
  ['mailto:', '?subject=hi'],
  ['log user=', ' login'],
  ['[', '](mailto:x)'],
  ['(', ')'],
  ['cc ', ', please'],
  ['E-Mail an ', '!'],
  ['连接', '。'],
  ['to;', ';done'],
];

const PHONE_FRAMES: readonly Frame[] = [
  ['Call me on ', ' after six.'],
  ['phone: ', ''],
  ['', ''],
  ['{"phone":"', '"}'],
  ['Tel. ', ', bitte'],
  ['Contact: ', ' (office)'],
  ['| ', ' |'],
  ['电话：', '。'],
  ['sms to ', ' failed'],
  ['Ring ', ' or write'],
  ['téléphone ', '.'],
  ['fax ', ';'],
];

const SSN_FRAMES: readonly Frame[] = [
  ['SSN ', ''],
  ['My social security number is ', '.'],
  ['{"ssn":"', '"}'],
  ['employee ', ' hired'],
  ['| ', ' |'],
  ['', ''],
  ['ssn=', '&x=1'],
  ['Sozialversicherung US: ', ' ok'],
];

const IP_FRAMES: readonly Frame[] = [
  ['login from ', ' refused'],
  ['{"ip":"', '"}'],
  ['', ''],
  ['', ' - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12'],
  ['client=', ' port=443'],
  ['peer [', ']'],
  ['blocked ', ', twice.'],
  ['http://', '/index.html'],
  ['von ', ' abgelehnt'],
];

const NAME_FRAMES: readonly Frame[] = [
  ['{"name":"', '"}'],
  ['{"first_name":"', '","n":1}'],
  ['{"cardholder_name": "', '"}'],
  ['{\\"fullName\\":\\"', '\\"}'],
];
const ADDRESS_FRAMES: readonly Frame[] = [
  ['{"address":"', '"}'],
  ['{"billing_address": "', '"}'],
  ['{"street":"', '","n":2}'],
];

/** Where nothing tells a name or an address from other words. */
const FREE_NAME_FRAMES: readonly Frame[] = [
  ['Dear ', ', thank you.'],
  ['', ' called this morning'],
  ['Spoke with ', ' about it'],
];
const FREE_ADDRESS_FRAMES: readonly Frame[] = [
  ['Send it to ', ' please'],
  ['She lives at ', '.'],
  ['Lieferung: ', ''],
];

/** Every class in many surroundings, one value to a line. */
export function positiveLines(choose: Seeded): CorpusEntry[] {
  const card = (): string => choose.of(CARDS);
  return [
    ...CARDS.flatMap((each) => [
      one('pan', 'with words', choose.of(CARD_FRAMES), each),
      one('pan', 'with words', choose.of(CARD_FRAMES), each),
    ]),
    ...CARD_FRAMES.map((frame) => one('pan', 'with words', frame, card())),
    ...CARDS.map((each) => one('pan', 'without words', choose.of(BARE_CARD_FRAMES), each)),
    ...times(5, IBAN_FRAMES).map((frame) =>
      one(
        'iban',
        'in a text',
        frame,
        choose.of(['', ' ', '-']) === '' ? iban(choose) : spacedIban(iban(choose), ' '),
      ),
    ),
    one('iban', 'in small letters', IBAN_FRAMES[0] ?? ['', ''], iban(choose).toLowerCase()),
    ...times(5, EMAIL_FRAMES).map((frame) => one('email', 'in a text', frame, email(choose))),
    one('email', 'in a URL', ['https://x.example/?email=', '&a=1'], 'ann%40example.com'),
    ...times(6, PHONE_FRAMES).map((frame) => phoneLine(choose, frame)),
    ...times(4, SSN_FRAMES).map((frame) => one('ssn', 'with hyphens', frame, ssn(choose))),
    ...times(2, SSN_FRAMES.slice(0, 3)).map((frame) =>
      one('ssn', 'without hyphens', frame, ssn(choose).replaceAll('-', '')),
    ),
    one('ssn', 'without hyphens or words', ['employee ', ' hired'], ssn(choose).replaceAll('-', '')),
    ...times(5, IP_FRAMES).map((frame) => one('ip', 'in a text', frame, plainHost(frame, ip(choose)))),
    ...times(4, NAME_FRAMES).map((frame) => one('name', 'in JSON', frame, choose.of(NAMES))),
    ...times(4, ADDRESS_FRAMES).map((frame) => one('address', 'in JSON', frame, choose.of(ADDRESSES))),
    ...times(4, FREE_NAME_FRAMES).map((frame) => one('name', 'in free text', frame, choose.of(NAMES))),
    ...times(4, FREE_ADDRESS_FRAMES).map((frame) =>
      one('address', 'in free text', frame, choose.of(ADDRESSES)),
    ),
    ...times(3, CODE_FRAMES).map((frame) => one('cvv', 'with a word', frame, choose.digits(3))),
    ...times(3, EXPIRY_FRAMES).map((frame) =>
      one('expiry', 'in JSON', frame, `0${1 + choose.below(9)}/${27 + choose.below(9)}`),
    ),
    ...times(2, FREE_EXPIRY_FRAMES).map((frame) =>
      one('expiry', 'in free text', frame, `1${choose.below(3)}/${27 + choose.below(9)}`),
    ),
    one('cvv', 'far from its word', ['the code on the back, which is ', ', worked'], choose.digits(3)),
  ];
}

const CODE_FRAMES: readonly Frame[] = [
  ['cvv: ', ''],
  ['{"cvv":"', '"}'],
  ['CVC2 ', ' on the back'],
  ['security code is ', '.'],
  ['cvv=', '&x=1'],
  ['{"cvc":', '}'],
];
const EXPIRY_FRAMES: readonly Frame[] = [
  ['{"expiry":"', '"}'],
  ['{"card_expiry":"', '","n":1}'],
  ['/pay?exp=', '&n=1'],
];
const FREE_EXPIRY_FRAMES: readonly Frame[] = [
  ['valid thru ', ''],
  ['exp ', ' on the card'],
];

function one(name: FindingClass, about: string, [before, after]: Frame, value: string): CorpusEntry {
  return {
    about: `${name} ${about}`,
    parts: [before, [name, value], after].filter((part) => part !== '') as CorpusEntry['parts'],
  };
}

function phoneLine(choose: Seeded, frame: Frame): CorpusEntry {
  const { written, country } = phone(choose);
  const line = one(
    'phone',
    country === undefined ? 'with its country' : 'of a given country',
    frame,
    written,
  );
  return country === undefined ? line : { ...line, country };
}

/** In a URL an IPv6 address has brackets, which other frames show. */
function plainHost([before]: Frame, address: string): string {
  return before.startsWith('http') && address.includes(':') ? '192.0.2.77' : address;
}

function times<Item>(count: number, items: readonly Item[]): Item[] {
  return Array.from({ length: count }, () => items).flat();
}
