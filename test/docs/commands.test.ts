import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT, textOf } from '../support/documents.ts';

const README = textOf('README.md');
const INDEX = textOf('docs/README.md');

/** A screen. */
const COLUMNS = 120;
const ROWS = 48;

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** `npm run -s mesh`, `npm run test:unit`, and the ones that npm has short forms for. */
function scriptsNamed(text: string): Set<string> {
  const run = [...text.matchAll(/\bnpm run(?: -\S+)* ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  const short = [...text.matchAll(/\bnpm (start|test)\b/g)].map(([, name = '']) => name);
  return new Set([...run, ...short]);
}

/** `npm run mesh -- verify`, with whatever options npm has. */
function verbsNamed(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/\bnpm run(?: -\S+)* mesh -- ([a-z][a-z-]*)/g)].map(([, verb = '']) => verb),
  );
}

function verbsOffered(): string[] {
  const help = execFileSync(process.execPath, [join(ROOT, 'operator', 'cli.ts'), '--help'], {
    encoding: 'utf8',
  });
  const commands = help.slice(help.indexOf('\nCommands:\n'));
  return [...commands.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, verb = '']) => verb);
}

describe('a command that the README or the index names', () => {
  it('is a script of the package', () => {
    const named = [...scriptsNamed(README + INDEX)];
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'mesh', 'test:unit']));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("is a verb of the operator's command, and the index names every verb", () => {
    const offered = verbsOffered().filter((verb) => verb !== 'help');
    expect(offered.length).toBeGreaterThan(0);
    expect([...verbsNamed(INDEX)].toSorted()).toEqual(offered.toSorted());
    expect([...verbsNamed(README)].filter((verb) => !offered.includes(verb))).toEqual([]);
  });

  it('comes before line 20 where it is the one that starts everything', () => {
    expect(README.split('\n').slice(0, 19).join('\n')).toContain('npm ci && npm start');
  });
});

describe('the README', () => {
  it('is read in two screens', () => {
    const screenLines = README.trimEnd()
      .split('\n')
      .map((line) => Math.max(1, Math.ceil(line.length / COLUMNS)));
    expect(screenLines.reduce((sum, lines) => sum + lines, 0)).toBeLessThanOrEqual(2 * ROWS);
  });
});

describe('the index of the documentation', () => {
  it('leads to every page', () => {
    const pages = readdirSync(join(ROOT, 'docs')).filter(
      (name) => name.endsWith('.md') && name !== 'README.md',
    );
    expect(pages.filter((name) => !INDEX.includes(`](${name}`))).toEqual([]);
  });
});
