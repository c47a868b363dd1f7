/**
 * The packages that npm does not know of, as components of a CycloneDX bill of materials: Python's, from the
 * requirement files, and Go's, from the sums of a module.
 *
 * @module
 */

/** CycloneDX 1.5, section "components". */
export interface Component {
  readonly 'bom-ref': string;
  readonly type: 'library';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

const ENTRY = /^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)/;

/**
 * @param file - Where they stand, for whoever asks what wants them.
 * @param requirements - As uv writes them: each package with one version, and a hash of each of its files.
 */
export function pythonComponents(file: string, requirements: string): Component[] {
  return requirements.split(/\n(?=\S)/).flatMap((entry) => {
    const [, name, version] = ENTRY.exec(entry) ?? [];
    if (name === undefined || version === undefined) return [];
    const hashes = [...entry.matchAll(/--hash=sha256:([0-9a-f]{64})/g)].map(([, content = '']) => content);
    return [
      {
        ...component('pypi', name, version, file),
        hashes: hashes.map((content) => ({ alg: 'SHA-256' as const, content })),
      },
    ];
  });
}

/** @param sums - A `go.sum`: two lines for each module that is built, one for each that is only looked at. */
export function goComponents(file: string, sums: string): Component[] {
  return [...sums.matchAll(/^(\S+) (v[^\s/]+) h1:/gm)].map(([, name = '', version = '']) =>
    component('golang', name, version, file),
  );
}

function component(type: 'pypi' | 'golang', name: string, version: string, file: string): Component {
  const purl = `pkg:${type}/${name}@${encodeURIComponent(version)}`;
  return {
    'bom-ref': `${purl}?file=${file}`,
    type: 'library',
    name,
    version,
    purl,
    properties: [{ name: 'tokenmesh:file', value: file }],
  };
}
