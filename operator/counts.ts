import { InvalidArgumentError } from 'commander';

/** A number of lines that a command is to end after. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 to 999999');
}
