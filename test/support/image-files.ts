/**
 * Lays out the files of an image in a folder, as its Dockerfile's COPYs say: what stands in for building it
 * where there is no Docker.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { PROJECT_ROOT, type CopiedPaths, type Image } from './image.ts';

/** A file of the project, and its path in the image. */
export interface ImageFile {
  readonly source: string;
  readonly target: string;
}

/** Every file of the project that the image holds; what `.dockerignore` keeps out is not among them. */
export function projectFilesOf(image: Image): ImageFile[] {
  const ignored = dockerignore.default().add(readFileSync(join(PROJECT_ROOT, '.dockerignore'), 'utf8'));
  return image.copies
    .filter(({ from }) => from === undefined)
    .flatMap((copy) => copy.sources.flatMap((source) => filesOf(source, copy.target)))
    .filter(({ source }) => !ignored.ignores(source));
}

function filesOf(pattern: string, target: string): ImageFile[] {
  return globSync(pattern, { cwd: PROJECT_ROOT }).flatMap((source) => {
    if (statSync(join(PROJECT_ROOT, source)).isFile())
      return [{ source, target: target.endsWith('/') ? join(target, basename(source)) : target }];
    return globSync('**/*', { cwd: join(PROJECT_ROOT, source) })
      .filter((file) => statSync(join(PROJECT_ROOT, source, file)).isFile())
      .map((file) => ({ source: join(source, file), target: join(target, file) }));
  });
}

/** The packages that `npm ci --omit=dev` installs, as paths from the root of the project. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path]) => path);
}

/** Fills `root`, which must be empty and beside the project's own files, with all that the image holds. */
export function layOut(image: Image, root: string, envoyBinary: string): void {
  for (const { source, target } of projectFilesOf(image)) place(join(PROJECT_ROOT, source), root, target);
  for (const copy of image.copies.filter(({ from }) => from !== undefined)) {
    layOutFromStage(copy, root, envoyBinary);
  }
  for (const program of ['node', 'envoy']) layOutLibraries(join(root, 'usr/local/bin', program), root);
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc', 'passwd'), PASSWD);
  for (const mountPoint of ['proc', 'dev', 'tmp']) mkdirSync(join(root, mountPoint), { recursive: true });
}

/** The users that distroless has. */
const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;

/** What the stages before it make is on this machine too: made by the same `npm ci`, from the same lock file. */
function layOutFromStage({ sources, target, owner }: CopiedPaths, root: string, envoyBinary: string): void {
  const [source = ''] = sources;
  if (source === '/opt/node') return place(nodeOfLockFile(), root, target);
  if (source === '/usr/local/bin/envoy') return place(envoyBinary, root, target);
  if (source === '/app/node_modules') return layOutPackages(root);
  if (source !== target || owner === undefined) throw new Error(`expected a folder, got ${source}`);
  mkdirSync(dirname(join(root, target)), { recursive: true });
  mkdirSync(join(root, target), { mode: 0o700 });
  const [user, group] = owner.split(':').map(Number);
  if (process.getuid?.() === 0) chownSync(join(root, target), user ?? 0, group ?? 0);
}

function place(source: string, root: string, target: string): void {
  mkdirSync(dirname(join(root, target)), { recursive: true });
  try {
    linkSync(realpathSync(source), join(root, target));
  } catch {
    // Another file system, which a library may well lie on.
    copyFileSync(source, join(root, target));
  }
}

/** With the packages that lie within them, linked; Node itself goes elsewhere. */
function layOutPackages(root: string): void {
  const wanted = productionPackages().filter(
    (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && !/\/node-linux-/.test(path),
  );
  const found = wanted.filter((path) => existsSync(join(PROJECT_ROOT, path)));
  execFileSync('cp', ['-al', '--parents', ...found, join(root, 'app')], { cwd: PROJECT_ROOT });
}

function nodeOfLockFile(): string {
  const [found] = globSync('node_modules/node-linux-*/bin/node', { cwd: PROJECT_ROOT });
  if (found === undefined) throw new Error('expected Node of the lock file, which there is on Linux alone');
  return join(PROJECT_ROOT, found);
}

/** What `cc` of distroless has of libraries, by name: whatever else a program wants is missing there. */
const LIBRARIES =
  /^(?:linux-vdso|ld-linux[\w-]*|lib(?:c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+|gomp))\.so(?:\.\d+)?$/;

function layOutLibraries(program: string, root: string): void {
  if (statSync(program, { throwIfNoEntry: false }) === undefined) return;
  for (const line of execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n')) {
    const [, library = '', path] = /^\s*(\S+?)(?: => (\S+))? \(0x/.exec(line) ?? [];
    if (library === '') continue;
    if (!LIBRARIES.test(basename(library))) throw new Error(`${program} wants ${library}`);
    const file = path ?? library;
    if (file.startsWith('/')) place(file, root, file);
  }
}
