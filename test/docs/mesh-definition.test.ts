import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { definitionPage } from '../support/definition-page.ts';
import { ROOT, textOf } from '../support/documents.ts';

describe('docs/mesh-definition.md', () => {
  it('is what the types of the definition say', () => {
    const page = definitionPage([
      { title: 'What is entered', text: textOf('mesh/entries.ts') },
      { title: 'What is made of it', text: textOf('mesh/definition.ts') },
    ]);
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(join(ROOT, 'docs/mesh-definition.md'), page);
    expect(textOf('docs/mesh-definition.md')).toBe(page);
  });

  it('leaves no key of a type out', () => {
    const keys = ['mesh/entries.ts', 'mesh/definition.ts'].flatMap((file) =>
      [...textOf(file).matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, key]) => key),
    );
    const page = textOf('docs/mesh-definition.md');
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter((key) => !page.includes(`| \`${key}\` |`))).toEqual([]);
  });
});
