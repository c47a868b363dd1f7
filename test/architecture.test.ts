import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

/**
 * Layers from the ground up. A file imports its own layer and those below it, never one above: what
 * decides does not know what drives it.
 */
const LAYERS: readonly (readonly [layer: string, files: RegExp])[] = [
  ['errors', /^errors\//],
  ['foundations', /^(mesh|pki)\//],
  [
    'domain',
    /^(sidecar\/tokenizer\/core|sidecar\/envoy\/cert-agent|operator\/checks)\/|^(cert-exporter|renewal)\/(export|decide|renew|event|ports|published|wait|failure|map-within)\.ts$|^queue\/(part|results|consume|ports|loading\/[a-z]+)\.ts$/,
  ],
  ['runtime', /^runtime\//],
  [
    'edge',
    /\/adapters\/|^sidecar\/(tokenizer\/(http|client)|envoy)\/|^sidecar\/tokenizer\/config\.ts$|^(sample-apps|edge)\//,
  ],
  ['composition', /^(sidecar|cert-exporter|renewal|queue)\//],
  ['operator', /^operator\//],
  ['local', /^(local|infra|bench)\//],
  ['tests', /^test\//],
];

const LAYER_NAMES = LAYERS.map(([layer]) => layer);

function layerOf(file: string): string | undefined {
  return LAYERS.find(([, files]) => files.test(file))?.[0];
}

const FILES = [
  'errors',
  'mesh',
  'pki',
  'runtime',
  'cert-exporter',
  'renewal',
  'queue',
  'sidecar',
  'sample-apps',
  'operator',
  'local',
  'infra',
  'bench',
  'edge',
]
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((file) => `${folder}/${String(file)}`),
  )
  .filter((file) => file.endsWith('.ts'));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isPackage: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s+(?:type\s)?(?:[^;'"]*?from\s+)?['"]([^'"]+)['"];/gm);
  return [...found].map(([, specifier = '']) => {
    const isPackage = !specifier.startsWith('.');
    const to = isPackage ? specifier : relative(ROOT, resolve(ROOT, dirname(file), specifier));
    return { from: file, to, isPackage };
  });
}

const IMPORTS = FILES.flatMap(importsOf);

describe('the architecture', () => {
  it('gives every file a layer', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(FILES.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  it('has no import that points to a layer above', () => {
    const wrong = IMPORTS.filter(({ from, to, isPackage }) => {
      if (isPackage) return false;
      return LAYER_NAMES.indexOf(layerOf(to) ?? '') > LAYER_NAMES.indexOf(layerOf(from) ?? '');
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('keeps the definition of the mesh free of everything that knows where it is deployed', () => {
    const wrong = IMPORTS.filter(
      ({ from, to }) => from.startsWith('mesh/') && !/^(mesh|errors)\/|^node:net$/.test(to),
    );
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it("keeps packages, the clock and the environment out of the vault's core", () => {
    const allowed = ['node:crypto', 'node:zlib', 'node:buffer', 'node:net'];
    const wrong = IMPORTS.filter(
      ({ from, to, isPackage }) => /\/core\//.test(from) && isPackage && !allowed.includes(to),
    );
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
    const pure = FILES.filter((file) => /\/core\/|^mesh\/|^operator\/checks\/|renewal\/decide/.test(file));
    expect(pure.length).toBeGreaterThan(20);
    const impure = pure.filter((file) =>
      /process\.env|Date\.now\b|performance\.now|new Date\(\)|Math\.random|import \{[^}]*randomBytes[^}]*\} from|import\(/.test(
        readFileSync(join(ROOT, file), 'utf8'),
      ),
    );
    expect(impure).toEqual([]);
  });

  it('has no import of a test outside the tests', () => {
    expect(IMPORTS.filter(({ to }) => to.startsWith('test/'))).toEqual([]);
  });
});
