import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT, textOf } from '../support/documents.ts';
import { ATTACK_TABLES, tableOf } from '../trust/attacks/pages.ts';

const FILE = 'docs/attacks.md';
const TABLES = Object.entries(ATTACK_TABLES);

/** The text of the page with each table as the attacks have it. */
function asItShouldBe(page: string): string {
  return TABLES.reduce((text, [heading, rows]) => {
    const section = new RegExp(`(## ${heading.replaceAll('/', '\\/')}\\n[^|]*?)\\|[^]*?\\|\\n(?=\\n|$)`);
    return text.replace(section, (_, before: string) => `${before}${tableOf(rows)}\n`);
  }, page);
}

describe('the page of attacks', () => {
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(join(ROOT, FILE), asItShouldBe(textOf(FILE)));
  const page = textOf(FILE);

  it.each(TABLES)(
    'has under "%s" each attack that is made, with what is promised and seen',
    (heading, rows) => {
      expect(page).toContain(`## ${heading}\n`);
      expect(page).toContain(`${tableOf(rows)}\n`);
    },
  );

  it('says how many there are', () => {
    const count = TABLES.flatMap(([, rows]) => rows).length;
    expect(page).toContain(`${count} attacks`);
  });
});

describe('the guarantees of SECURITY.md', () => {
  const [, table = ''] = /^## Guarantees\n([^]*?)\n## /m.exec(textOf('SECURITY.md')) ?? [];
  const rows = table.split('\n').filter((line) => /^\| (?!guarantee|-)/.test(line));

  it('name a test each, and it is there', () => {
    expect(rows.length).toBeGreaterThan(15);
    const missing = rows.filter((row) => {
      const tests = [...row.matchAll(/\((test\/[^)#]+)\)/g)].map(([, file = '']) => file);
      return tests.length === 0 || tests.some((file) => !existsSync(join(ROOT, file)));
    });
    expect(missing).toEqual([]);
  });

  it('have the suites of test/trust among them', () => {
    const suites = readdirSync(join(ROOT, 'test/trust')).filter((file) => file.endsWith('.test.ts'));
    expect(suites.filter((file) => !table.includes(`test/trust/${file}`))).toEqual([]);
  });
});
