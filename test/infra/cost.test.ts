import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { costOf } from '../../infra/cost/cost.ts';
import { MONTHLY } from '../../infra/cost/prices.ts';
import { costTable, optionTable, type CostRow } from '../../infra/cost/table.ts';
import { USAGES, type Usage } from '../../infra/cost/usage.ts';
import { AT_EDGE, edgeKeyFile } from '../support/edge-key-file.ts';
import { synthesize, type Synthesized } from '../support/synthesized.ts';

const EDGE = { domain: 'pay.example.com', hostedZoneId: 'Z0123456789ABC' };

const deployed = (usage: Usage, certificates: string): Synthesized =>
  synthesize({ ...EDGE, size: usage.size, certificates });

const ROWS: CostRow[] = USAGES.flatMap((usage) =>
  ['acm-export', 'short-lived'].map((certificates) => ({
    size: usage.size,
    what: usage.what,
    certificates,
    cost: costOf(deployed(usage, certificates).resources, usage),
  })),
);

/** What each choice adds to a deployment that is without it. */
function optionRows() {
  return USAGES.map((usage) => {
    const total = (context: Record<string, string>): number =>
      costOf(synthesize({ ...EDGE, size: usage.size, ...context }).resources, usage).total;
    const without = total({});
    const edgeContext = { ...AT_EDGE, edgeKeys: 'first', edgeKeyFile: edgeKeyFile() };
    return {
      ...usage,
      adds: {
        '`orderStore=mysql`': total({ orderStore: 'mysql' }) - without,
        'encryption at the edge': total(edgeContext) - without,
      },
    };
  });
}

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'deploy.md');

/** The page; with `UPDATE_GOLDENS=1` the table is put in the place of the one that has its first line. */
function pageWith(table: string): string {
  const page = readFileSync(PAGE, 'utf8');
  const [head = ''] = table.split('\n');
  const start = page.indexOf(head);
  if (process.env['UPDATE_GOLDENS'] !== '1' || start < 0) return page;
  const end = page.indexOf('\n\n', start);
  const updated = `${page.slice(0, start)}${table.trimEnd()}${page.slice(end)}`;
  writeFileSync(PAGE, updated);
  return updated;
}

describe('what a deployment costs', () => {
  it('stands in docs/deploy.md with what its choices add', () => {
    const rows = optionRows();
    for (const { adds } of rows) for (const usd of Object.values(adds)) expect(usd).toBeGreaterThan(0);
    expect(pageWith(optionTable(rows))).toContain(optionTable(rows));
  });

  it('stands in docs/deploy.md as the templates and the price list give it', () => {
    expect(pageWith(costTable(ROWS))).toContain(costTable(ROWS));
  });

  it('counts the CAs that are synthesized, by their mode', () => {
    const [exported, shortLived] = ROWS;
    expect(exported?.cost.authorities).toBe(4 * MONTHLY.generalCa);
    expect(shortLived?.cost.authorities).toBe(4 * MONTHLY.generalCa + 2 * MONTHLY.shortLivedCa);
  });

  it('rises with use, and is the sum of its parts', () => {
    const totals = ROWS.filter(({ certificates }) => certificates === 'acm-export').map(
      ({ cost }) => cost.total,
    );
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    for (const { cost } of ROWS) {
      const { total, ...parts } = cost;
      expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBeCloseTo(total);
    }
  });

  it('has no edge where there is no domain', () => {
    const [usage] = USAGES;
    if (usage === undefined) throw new Error('expected a usage');
    expect(costOf(synthesize().resources, usage).edge).toBe(0);
  });

  it('counts tables once for each region', () => {
    const [usage] = USAGES;
    if (usage === undefined) throw new Error('expected a usage');
    const one = costOf(synthesize().resources, usage).tables;
    expect(costOf(synthesize({ regions: 'us-east-1,eu-west-1' }).resources, usage).tables).toBeCloseTo(
      2 * one,
    );
  });
});
