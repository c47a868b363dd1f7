import { setImmediate } from 'node:timers/promises';
import type { DetectionPorts } from '../../core/text/ports.ts';
import { cardRanges } from './card-ranges.ts';
import { ibanRules } from './iban-rules.ts';
import { phoneNumbers } from './phone-numbers.ts';

/** What the detectors know of the world's numbers, each from a library that follows its registry. */
export const detectionPorts: DetectionPorts = {
  cardRanges,
  ibanRules,
  phoneNumbers,
  pause: () => setImmediate(),
};
