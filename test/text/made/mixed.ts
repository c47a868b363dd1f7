import type { CorpusEntry } from '../corpus.ts';
import type { Seeded } from '../seeded.ts';
import { CARDS, email, iban, ip, NAMES, phone, spacedIban, ssn } from './values.ts';

type Parts = CorpusEntry['parts'];

/** Several values in one text: tickets, logs, documents, tables. */
export function mixedLines(choose: Seeded): CorpusEntry[] {
  return Array.from({ length: 12 }, () => FORMS.map((form) => form(choose))).flat();
}

const card = (choose: Seeded): string => choose.of(CARDS);

const FORMS: readonly ((choose: Seeded) => CorpusEntry)[] = [
  (choose) =>
    mixed('a ticket', [
      'Hi, ',
      ['email', email(choose)],
      ' here. Card ',
      ['pan', card(choose)],
      ' was refused, call ',
      ['phone', `+1 415 555 01${choose.digits(2)}`],
      '.',
    ]),
  (choose) =>
    mixed('a log', [
      `2026-03-01T10:0${choose.below(9)}:00.123Z INFO req=`,
      uuid(choose),
      ' ip=',
      ['ip', ip(choose)],
      ' user=',
      ['email', email(choose)],
      ' took 123ms',
    ]),
  (choose) =>
    mixed('a document', [
      '{"order":"',
      uuid(choose),
      '","name":"',
      ['name', choose.of(NAMES)],
      '","card_number":"',
      ['pan', card(choose)],
      '","cvv":"',
      ['cvv', choose.digits(3)],
      '","email":"',
      ['email', email(choose)],
      '"}',
    ]),
  (choose) =>
    mixed('two cards', [
      'cards ',
      ['pan', '{{pan:visa-16| }}'],
      ' ',
      ['pan', '{{pan:mastercard-16| }}'],
      ' and ',
      ['pan', card(choose)],
    ]),
  (choose) =>
    mixed('a card with its date and code', [
      'card ',
      ['pan', '{{pan:visa-16| }}'],
      ' 12 27 ',
      choose.digits(3),
    ]),
  (choose) =>
    mixed('a transfer', [
      'From ',
      ['iban', spacedIban(iban(choose), ' ')],
      ' to ',
      ['iban', iban(choose)],
      ', EUR 12.50',
    ]),
  (choose) =>
    mixed('a form', [
      '/pay?card_number=',
      ['pan', '{{made:visa-16:9}}'],
      '&email=',
      ['email', 'ann%40example.com'],
      '&n=',
      choose.digits(2),
    ]),
  (choose) =>
    mixed('a table', [
      '| ',
      ['ssn', ssn(choose)],
      ' | ',
      ['ip', ip(choose)],
      ' | ',
      ['email', email(choose)],
      ' |',
    ]),
  (choose) => phones(choose),
];

function phones(choose: Seeded): CorpusEntry {
  const one = phone(choose);
  const line = mixed('two phones', [
    'mobile ',
    ['phone', one.written],
    ', office ',
    ['phone', `+44 20 7946 0${choose.digits(3)}`],
  ]);
  return one.country === undefined ? line : { ...line, country: one.country };
}

function mixed(about: string, parts: Parts): CorpusEntry {
  return { about: `mixed: ${about}`, parts };
}

export function uuid(choose: Seeded): string {
  const hex = (count: number): string =>
    Array.from({ length: count }, () => choose.below(16).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}
