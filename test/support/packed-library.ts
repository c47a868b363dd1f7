/**
 * The package as `npm pack` makes it, unpacked into a layer as Lambda wants it, and a project that uses it.
 *
 * @module
 */

import { execFile, type ExecFileException } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './documents.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PackedLibrary {
  /** `nodejs/node_modules/`: what Lambda mounts at `/opt`. */
  readonly modules: string;
  /** The package in it. */
  readonly directory: string;
  /** A project that has nothing but the layer's modules. */
  readonly project: string;
  /** Where the functions are once they are compiled: nothing beside them. */
  readonly functions: string;
  remove(): Promise<void>;
}

/** Packs, unpacks, and links what the package depends on as an installation would put it there. */
export async function packLibrary(): Promise<PackedLibrary> {
  const top = await mkdtemp(join(tmpdir(), 'tokenmesh-package-'));
  await ran('npm', ['pack', '--silent', '--pack-destination', top], ROOT);
  const [tarball = ''] = (await readdir(top)).filter((name) => name.endsWith('.tgz'));
  const modules = join(top, 'layer', 'nodejs', 'node_modules');
  const directory = join(modules, 'tokenmesh');
  await mkdir(directory, { recursive: true });
  await ran('tar', ['-xzf', join(top, tarball), '--strip-components=1', '-C', directory], top);
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  await linkCommand(modules);
  const project = join(top, 'project');
  const functions = join(top, 'functions');
  await mkdir(project);
  await symlink(modules, join(project, 'node_modules'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await mkdir(functions);
  await writeFile(join(functions, 'package.json'), '{ "type": "module" }');
  return {
    ...{ modules, directory, project, functions },
    remove: async () => await rm(top, { recursive: true }),
  };
}

/** As `npm install` does: it makes what `bin` names executable, which it is not in the tarball. */
async function linkCommand(modules: string): Promise<void> {
  const { bin } = JSON.parse(await readFile(join(modules, 'tokenmesh', 'package.json'), 'utf8')) as {
    bin: { tokenmesh: string };
  };
  await chmod(join(modules, 'tokenmesh', bin.tokenmesh), 0o755);
  await mkdir(join(modules, '.bin'));
  await symlink(join('..', 'tokenmesh', bin.tokenmesh), join(modules, '.bin', 'tokenmesh'));
}

/** Puts TypeScript into the project and compiles all of it, the package's types as strictly, into the functions' folder. */
export async function compile(
  { project, functions }: PackedLibrary,
  sources: Readonly<Record<string, string>>,
): Promise<Ended> {
  const source = await mkdtemp(join(project, 'source-'));
  for (const [name, text] of Object.entries(sources)) await writeFile(join(source, name), text);
  const compilerOptions = {
    ...{ target: 'es2024', module: 'nodenext', types: ['node'], strict: true, skipLibCheck: false },
    ...{ noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
    ...{ rewriteRelativeImportExtensions: true, rootDir: '.', outDir: functions },
  };
  await writeFile(join(source, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  return await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', source], { cwd: source });
}

/** Every file of a folder, by its path from there. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

async function ran(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await run(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args[0] ?? ''} ended with ${code}: ${stderr.slice(-2_000)}`);
}

interface RunOptions {
  readonly cwd: string;
  /** Beside the environment of this process, without what an npm that started it left there. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

const OWN_ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, input }: RunOptions,
): Promise<Ended> {
  return await new Promise((resolve) => {
    const ended = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    };
    const child = execFile(command, args, { cwd, env: { ...OWN_ENV, ...env }, timeout: 120_000 }, ended);
    child.stdin?.end(input ?? '');
  });
}
