const SHAPE = /^(?:([0-9]{3})-([0-9]{2})-([0-9]{4})|([0-9]{3})([0-9]{2})([0-9]{4}))$/;

/**
 * What is wrong with `value` as a US social security number, or undefined.
 *
 * Area 000, 666 and 900 to 999, group 00 and serial 0000 are never assigned (Social Security
 * Administration, "Social Security Number Randomization"). Tells the shape, never a digit.
 */
export function ssnProblem(value: string): string | undefined {
  const parts = SHAPE.exec(value)
    ?.slice(1)
    .filter((part) => part !== undefined);
  if (parts === undefined) return `got ${value.length} characters of another shape`;
  const [area = '', group, serial] = parts;
  if (area === '000' || area === '666' || area.startsWith('9')) return 'got an area that is never assigned';
  if (group === '00' || serial === '0000') return 'got a group or serial number that is never assigned';
  return undefined;
}
