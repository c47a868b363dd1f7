/**
 * The files of the page: read once, from the project's own folder and from the packages that it names. What
 * is not in the table is not served, so that no path of a request ever reaches the file system.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly body: string;
}

const PAGE = join(import.meta.dirname, 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
};

/** A browser knows no packages: each is served under a path of its own. */
const PACKAGES: Readonly<Record<string, string>> = {
  preact: '/vendor/preact.mjs',
  'preact/hooks': '/vendor/preact-hooks.mjs',
  'uplot/dist/uPlot.esm.js': '/vendor/uplot.mjs',
  'uplot/dist/uPlot.min.css': '/vendor/uplot.css',
};

/** By path of the URL. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const resolve = createRequire(import.meta.url).resolve;
  const own = readdirSync(PAGE)
    .filter((name) => extname(name) in TYPES && !name.endsWith('.d.ts'))
    .map((name) => [pathOf(name), assetOf(join(PAGE, name))] as const);
  const theirs = Object.entries(PACKAGES).map(
    ([specifier, path]) => [path, assetOf(resolve(specifier))] as const,
  );
  return new Map([...own, ...theirs]);
}

/** As the published package has it, in which scripts have been compiled. */
function pathOf(name: string): string {
  return name === 'index.html' ? '/' : `/${name.replace(/\.ts$/, '.js')}`;
}

function assetOf(file: string): Asset {
  const text = readFileSync(file, 'utf8');
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  if (!type.startsWith('text/javascript')) return { type, body: text };
  // In the published package the types have been stripped before.
  const script = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
  return { type, body: withPackagePaths(script) };
}

function withPackagePaths(script: string): string {
  return script.replaceAll(
    /(\bfrom\s*)(['"])([^'"]+)\2/g,
    (_whole, from: string, quote: string, name: string) => {
      const path = PACKAGES[name] ?? name.replace(/\.ts$/, '.js');
      return `${from}${quote}${path}${quote}`;
    },
  );
}
