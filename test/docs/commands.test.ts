import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT, textOf } from '../support/documents.ts';

const README = textOf('README.md');

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** `npm run -s mesh`, `npm run test:unit`, and the ones that npm has short forms for. */
function scriptsNamed(text: string): Set<string> {
  const run = [...text.matchAll(/\bnpm run(?: -\S+)* ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  const short = [...text.matchAll(/\bnpm (start|test)\b/g)].map(([, name = '']) => name);
  return new Set([...run, ...short]);
}

/** `npm run mesh -- verify`, with whatever options npm has. */
function verbsNamed(text: string): Set<string> {
  return new Set([...text.matchAll(/\bnpm run(?: -\S+)* mesh -- ([a-z]+)/g)].map(([, verb = '']) => verb));
}

function verbsOffered(): string[] {
  const help = execFileSync(process.execPath, [join(ROOT, 'operator', 'cli.ts'), '--help'], {
    encoding: 'utf8',
  });
  const commands = help.slice(help.indexOf('\nCommands:\n'));
  return [...commands.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb = '']) => verb);
}

describe('a command that the README names', () => {
  it('is a script of the package', () => {
    const named = [...scriptsNamed(README)];
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'mesh', 'test:unit']));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("is a verb of the operator's command, and every verb is named", () => {
    const offered = verbsOffered().filter((verb) => verb !== 'help');
    expect(offered.length).toBeGreaterThan(0);
    expect([...verbsNamed(README)].toSorted()).toEqual(offered.toSorted());
  });

  it('comes before line 20 where it is the one that starts everything', () => {
    expect(README.split('\n').slice(0, 19).join('\n')).toContain('npm ci && npm start');
  });
});
