import type { FieldClass } from './field-class.ts';

/**
 * What of a value is shown masked; everything else of it is hidden. Rules and reasons: docs/masking.md.
 *
 * Templates are data, so that what each class shows can be read off a table and tested for all at once.
 */
export interface MaskTemplate {
  /** What is counted and shown. With `digits` all other characters are as if they were not there. */
  readonly of: 'characters' | 'digits';
  /** Each word is masked by itself, words past this many are left out; the whole is one by default. */
  readonly words?: number;
  readonly keepFirst: number;
  readonly keepLast: number;
  /** Where fewer than this would stay hidden, all is. */
  readonly hideAtLeast: number;
  /** `kept`: one `*` for each hidden character. `hidden`: `***`, however many there are. */
  readonly length: 'kept' | 'hidden';
  /** From this place on, all is shown as it is. */
  readonly showFrom?: RegExp;
  /** Of what dots or colons part, so many groups are shown from the start, and nothing else counts. */
  readonly keepGroups?: number;
}

/** Stands for what is left out. Its length says nothing about the value's. */
const HIDDEN = '***';

const HIDDEN_WHOLE: MaskTemplate = {
  of: 'characters',
  keepFirst: 0,
  keepLast: 0,
  hideAtLeast: 0,
  length: 'hidden',
};

export const MASK_TEMPLATES: Readonly<Record<FieldClass, MaskTemplate>> = {
  // PCI DSS 4.0 requirement 3.4.1 lets everybody see the BIN and the last four digits at most. The last
  // four are enough to tell cards apart; with the BIN as well a 16-digit number would be one of 10^5.
  pan: { of: 'digits', keepFirst: 0, keepLast: 4, hideAtLeast: 8, length: 'kept' },
  email: {
    of: 'characters',
    keepFirst: 1,
    keepLast: 0,
    hideAtLeast: 1,
    length: 'hidden',
    showFrom: /(?:@|%40)[^@]*$/,
  },
  phone: { of: 'digits', keepFirst: 0, keepLast: 2, hideAtLeast: 3, length: 'hidden' },
  name: {
    of: 'characters',
    words: 3,
    keepFirst: 1,
    keepLast: 0,
    hideAtLeast: 1,
    length: 'hidden',
  },
  ssn: { of: 'digits', keepFirst: 0, keepLast: 4, hideAtLeast: 5, length: 'hidden' },
  iban: { of: 'characters', keepFirst: 2, keepLast: 4, hideAtLeast: 8, length: 'hidden' },
  // Its network.
  ip: { ...HIDDEN_WHOLE, keepGroups: 2 },
  expiry: HIDDEN_WHOLE,
  cvv: HIDDEN_WHOLE,
  address: HIDDEN_WHOLE,
  text: HIDDEN_WHOLE,
};

/** What a caller sees who may use a value, but not read it. */
export function mask(fieldClass: FieldClass, value: string): string {
  return maskBy(MASK_TEMPLATES[fieldClass], value);
}

export function maskBy(template: MaskTemplate, value: string): string {
  if (template.keepGroups !== undefined) return maskGroups(template.keepGroups, value);
  const at = template.showFrom === undefined ? -1 : value.search(template.showFrom);
  const hidden = at < 0 ? value : value.slice(0, at);
  const shown = at < 0 ? '' : value.slice(at);
  if (template.words === undefined) return maskPart(template, hidden) + shown;
  const words = hidden.split(/\s+/u).filter((word) => word !== '');
  if (words.length === 0) return HIDDEN + shown;
  const masked = words.slice(0, template.words).map((word) => maskPart(template, word));
  return masked.join(' ') + shown;
}

function maskPart(template: MaskTemplate, part: string): string {
  const { of, keepFirst, keepLast, hideAtLeast, length } = template;
  const characters = Array.from(of === 'digits' ? part.replaceAll(/[^0-9]/g, '') : part);
  const hiddenCount = characters.length - keepFirst - keepLast;
  if (hiddenCount < hideAtLeast || keepFirst + keepLast === 0) return HIDDEN;
  const first = characters.slice(0, keepFirst).join('');
  const last = keepLast === 0 ? '' : characters.slice(-keepLast).join('');
  return first + (length === 'kept' ? '*'.repeat(hiddenCount) : HIDDEN) + last;
}

/** The first groups of what dots or colons part; groups that are not there hide all. */
function maskGroups(keepGroups: number, value: string): string {
  const separator = value.includes(':') ? ':' : '.';
  const groups = value.split(separator);
  if (groups.length <= keepGroups) return HIDDEN;
  return [...groups.slice(0, keepGroups), HIDDEN].join(separator);
}
