import { defaultFormat } from './default.ts';
import { emailFormat } from './email.ts';
import type { FormatName, TokenFormat } from './format.ts';
import { panRandomFormat } from './pan-random.ts';
import { panFormat } from './pan.ts';
import { phoneFormat } from './phone.ts';
import { regionFormat } from './region.ts';
import { ssnLastFourFormat } from './ssn-last-four.ts';
import { ssnFormat } from './ssn.ts';
import { uuidFormat } from './uuid.ts';

/** Every format that there is; of two with one grammar the first is the one that is recognized. */
export const TOKEN_FORMATS: Readonly<Record<FormatName, TokenFormat>> = {
  default: defaultFormat,
  uuid: uuidFormat,
  region: regionFormat,
  email: emailFormat,
  pan: panFormat,
  'pan-random': panRandomFormat,
  phone: phoneFormat,
  ssn: ssnFormat,
  'ssn-last-four': ssnLastFourFormat,
};

export const FORMAT_NAMES = Object.keys(TOKEN_FORMATS) as readonly FormatName[];

/** The format whose grammar `text` fits: no two different grammars share a text. */
export function formatOf(text: string): TokenFormat | undefined {
  return Object.values(TOKEN_FORMATS).find((format) => format.recognizes(text));
}

export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(TOKEN_FORMATS, name);
}
