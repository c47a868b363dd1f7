import { describe, expect, it } from '@jest/globals';
import { changed, stepsIn } from '../support/page-steps.ts';

const PAGE = `
\`\`\`sh
not run
\`\`\`
\`\`\`console
$ echo one
one
\`\`\`
\`\`\`ts a/b.ts
text
\`\`\`
\`\`\`diff a/b.ts
-text
+other
 rest
\`\`\`
`;

describe('a page that is worked through', () => {
  it('is its sessions, files and changes, in order, and nothing that is only shown', () => {
    expect(stepsIn(PAGE)).toEqual([
      { kind: 'session', commands: [{ command: 'echo one', shown: ['one'] }] },
      { kind: 'file', path: 'a/b.ts', text: 'text\n' },
      { kind: 'change', path: 'a/b.ts', diff: '-text\n+other\n rest\n' },
    ]);
  });

  it('changes the lines that a diff shows, where they are', () => {
    expect(changed('first\ntext\nrest\nlast\n', '-text\n+other\n rest\n')).toBe('first\nother\nrest\nlast\n');
  });

  it.each([
    ['are not there', 'first\nlast\n', '0 times'],
    ['are there twice', 'rest\nrest\n', '2 times'],
  ])('refuses a change to lines that %s', (_, text, found) => {
    expect(() => changed(text, '+other\n rest\n')).toThrow(found);
  });
});
