const SHAPE = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/;

/**
 * What is wrong with `value` as an IBAN (ISO 13616-1), or undefined: its shape and its check digits.
 * The length of each country's is for a registry to know.
 */
export function ibanProblem(value: string): string | undefined {
  if (!SHAPE.test(value)) return `got ${value.length} characters of another shape`;
  return remainder(value) === 1 ? undefined : `got ${value.length} characters whose check digits do not hold`;
}

/** MOD 97-10 of ISO/IEC 7064, over the number that letters and digits make with the first four moved to the end. */
function remainder(iban: string): number {
  return Array.from(iban.slice(4) + iban.slice(0, 4)).reduce((rest, character) => {
    const number = Number.parseInt(character, 36);
    return (rest * (number > 9 ? 100 : 10) + number) % 97;
  }, 0);
}
