import type { FindingClass } from '../../../sidecar/tokenizer/core/text/finding.ts';
import type { CorpusEntry } from '../corpus.ts';
import type { Seeded } from '../seeded.ts';
import { email, NAMES, phone } from './values.ts';

/**
 * What people write and no rule of ours is made for: kept in the corpus so that
 * its figures are not those of texts that suit the detectors.
 */
export function hardLines(choose: Seeded): CorpusEntry[] {
  return [
    ...MISSED.map(([name, before, value, after]) => line(name, [before, [name, value], after])),
    ...MISLEADING.map((text) => line('nothing', [text])),
    ...Array.from({ length: 6 }, () => {
      const [local = '', domain = ''] = email(choose).split('@');
      return line('email', ['write to ', ['email', `${local} (at) ${domain}`], ' please']);
    }),
    ...Array.from({ length: 6 }, () =>
      line('phone', ['call ', ['phone', withoutCountry(choose)], ' please']),
    ),
    ...Array.from({ length: 4 }, () => line('name', ['signed=', ['name', choose.of(NAMES)], ';'])),
  ];
}

function line(about: string, parts: CorpusEntry['parts']): CorpusEntry {
  return { about: `hard: ${about}`, parts };
}

/** As it is written at home, with nothing that says where that is. */
function withoutCountry(choose: Seeded): string {
  const { written, country } = phone(choose);
  return country === undefined ? withoutCountry(choose) : written;
}

const MISSED: readonly (readonly [FindingClass, string, string, string])[] = [
  ['pan', 'card ', '{{pan:visa-16|\n}}', ' on four lines'],
  ['pan', 'card ', '{{pan:visa-16|/}}', ' with strokes'],
  ['pan', 'card', '{{pan:visa-16}}', ' with its word run in'],
  ['pan', 'pay?n=', '{{pan:mastercard-16|+}}', '&x=1'],
  ['pan', 'number ', '{{pan:maestro-16}}', ' noted'],
  ['pan', 'old ', '{{made:visa-13:31}}', ' noted'],
  ['pan', 'a_', '{{made:visa-16:32}}', '_b'],
  ['pan', 'cards: ', '{{made:visa-16:33}}', ',…'],
  ['iban', 'to ', 'DE89_3704_0044_0532_0130_00', ' today'],
  ['iban', 'IBAN', 'DE89370400440532013000', ' run in'],
  ['iban', 'to (', 'de89 3704 0044 0532 0130 00', ')'],
  ['ssn', 'SSN: ', '123.45.6789', ' with dots'],
  ['ssn', 'social security ', '219 45 6789', ' with spaces'],
  ['ssn', 'soc sec no ', '219456789', ''],
  ['ip', 'from ', '010.000.000.007', ' padded'],
  ['ip', 'host ', '192.0.2.7', '-internal'],
  ['ip', 'http://[', '2001:db8::7', ']:80/'],
  ['cvv', 'three digits on the back: ', '321', ''],
  ['cvv', 'CVV ', '3 2 1', ''],
  ['expiry', 'expires ', '2027-09', ''],
  ['expiry', 'good through ', '09/27', ''],
];

const MISLEADING = [
  '{"product":{"name":"Blue shirt"},"n":1}',
  '{"name":"web-frontend","replicas":2}',
  '{"address":"node seven"}',
  '{"street":"see below"}',
  'Message-ID <20260301.4f2a@mail.example.com>',
  'upgrade to 1.2.3.4 today',
  'ranges 1.2.3.0 and 4.3.2.1 of the plan',
  'item 219-45-6789 in the catalogue',
  'call +1 800 555 0199 is our hotline',
  'ticker ABC +12025550173 units',
  'npm view left-pad@npm.example',
  '/tmp/run@host.example/x',
  '{"cid":"1234"}',
  'cid=4321 shard=7',
];
