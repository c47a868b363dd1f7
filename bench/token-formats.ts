/**
 * A million tokens of every format made of digits: what docs/token-format.md says of them.
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { entropyBits } from '../sidecar/tokenizer/core/formats/format.ts';
import { measureFormat, type FormatStatistics } from './digit-statistics.ts';
import { NUMERIC_FORMATS, SMALL_FORMAT } from './numeric-formats.ts';

const COUNT = 1_000_000;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** The position that is the furthest from fair, by the share of its critical value. */
function worst({ chiSquares }: FormatStatistics): string {
  const [found] = chiSquares.toSorted((a, b) => b.value / b.critical - a.value / a.critical);
  if (found === undefined) return 'none is free';
  return `${found.value.toFixed(1)} < ${found.critical.toFixed(1)} (${found.name}, ${found.degrees} degrees, of ${chiSquares.length})`;
}

/** The baseline: the sum of k / (possibilities - k), for k tokens that there are already. */
function expectedRedraws(count: number, possibilities: number): number {
  return -possibilities * Math.log1p(-count / possibilities) - count;
}

function holds({ passingLuhn, inIssuerRange, chiSquares }: FormatStatistics): boolean {
  return passingLuhn + inIssuerRange === 0 && chiSquares.every(({ value, critical }) => value < critical);
}

export async function run(): Promise<boolean> {
  const results: boolean[] = [];
  print(
    '| format | bits | different tokens | drawn again | expected | pass Luhn | issuer range | worst chi-square | seconds |',
  );
  print('|---|---|---|---|---|---|---|---|---|');
  for (const each of NUMERIC_FORMATS) {
    const started = performance.now();
    const measured = measureFormat(each, COUNT, { randomBytes });
    results.push(holds(measured));
    const { made, redrawn, passingLuhn, inIssuerRange } = measured;
    const expected = expectedRedraws(COUNT, each.format.possibilities(each.kept));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    print(
      `| ${each.format.name} | ${entropyBits(each.format, each.kept).toFixed(1)} | ${made} | ${redrawn} | ${expected.toFixed(1)} | ${passingLuhn} | ${inIssuerRange} | ${worst(measured)} | ${seconds} |`,
    );
  }
  const { format, kept } = SMALL_FORMAT;
  const all = measureFormat(SMALL_FORMAT, format.possibilities(kept), { randomBytes });
  print('');
  print(
    `${format.name}: ${all.made} tokens are all that there are for one last four (${entropyBits(format, kept).toFixed(1)} bits); making every one took ${all.made + all.redrawn} draws; ${all.passingLuhn} pass Luhn, ${all.inIssuerRange} in an issuer range`,
  );
  return results.every(Boolean) && all.passingLuhn + all.inIssuerRange === 0;
}
