import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stepsIn } from '../support/page-steps.ts';
import { anchorsOf, markdownFiles, ROOT, textOf } from '../support/documents.ts';

interface Link {
  readonly from: string;
  readonly target: string;
}

/** Code is not a link, whatever it looks like. */
function proseOf(markdown: string): string {
  return markdown.replaceAll(/^(?:```|~~~)[^]*?^(?:```|~~~)$/gm, '').replaceAll(/`[^`\n]*`/g, '`code`');
}

function linksOf(file: string): Link[] {
  const prose = proseOf(textOf(file));
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]]+\]:\s+<?([^\s>]+)>?/gm)];
  return [...inline, ...defined].map(([, target = '']) => ({ from: file, target }));
}

const isExternal = (target: string): boolean => /^[a-z][a-z+.-]*:/i.test(target);

function isBroken({ from, target }: Link): boolean {
  const [path = '', anchor] = decodeURI(target).split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path));
  if (file.startsWith('..') || !existsSync(join(ROOT, file))) return true;
  return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor);
}

const LINKS = markdownFiles()
  .flatMap(linksOf)
  .filter(({ target }) => !isExternal(target));

/** Paths from the root that stand in code spans, such as `mesh/validate.ts`: they go stale as links do. */
function pathsOf(file: string): Link[] {
  const written = stepsIn(textOf(file)).flatMap((step) => (step.kind === 'file' ? [step.path] : []));
  const spans = [...textOf(file).matchAll(/`([a-z][\w.-]*(?:\/[\w.-]+)+)`/g)];
  return spans
    .map(([, target = '']) => ({ from: file, target }))
    .filter(({ target }) => /\.(?:ts|py|md|json|txt|in)$/.test(target))
    .filter(({ target }) => existsSync(join(ROOT, target.split('/')[0] ?? '')))
    .filter(({ target }) => !written.includes(target));
}

const PATHS = markdownFiles().flatMap(pathsOf);

describe('a path that the documentation names', () => {
  it('is there', () => {
    expect(PATHS.length).toBeGreaterThan(30);
    expect(PATHS.filter(({ target }) => !existsSync(join(ROOT, target)))).toEqual([]);
  });
});

describe('a relative link of the documentation', () => {
  it('leads to a file that is there, and to a heading of it where it names one', () => {
    expect(LINKS.length).toBeGreaterThan(50);
    expect(LINKS.filter(isBroken)).toEqual([]);
  });

  it.each<[string, string]>([
    ['to no file', 'docs/nowhere.md'],
    ['to no heading', 'docs/runbook.md#no-such-heading'],
    ['out of the project', '../elsewhere.md'],
  ])('is found out where it leads %s', (_what, target) => {
    expect(isBroken({ from: 'README.md', target })).toBe(true);
  });
});
