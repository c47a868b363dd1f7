/**
 * `npm run sbom`: prints the bill of materials of all that the lock files name, as CycloneDX.
 *
 * npm writes its own part from the lock file alone. What only a test needs is marked as development by npm, and
 * by its file for Python and Go. Nothing is fetched.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goComponents, pythonComponents } from './components.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Every file of the project that pins packages of Python or Go, from its root. */
export function pinningFiles(pattern: 'requirements.txt' | 'go.sum'): string[] {
  return globSync(`{local,test}/**/${pattern}`, { cwd: ROOT }).toSorted();
}

function billOfNpm(): { components: unknown[] } {
  const bill = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    cwd: ROOT,
    maxBuffer: 64 * 1_048_576,
    encoding: 'utf8',
  });
  return JSON.parse(bill) as { components: unknown[] };
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

export function billOfMaterials(): { components: unknown[] } {
  const bill = billOfNpm();
  return {
    ...bill,
    components: [
      ...bill.components,
      ...pinningFiles('requirements.txt').flatMap((file) => pythonComponents(file, read(file))),
      ...pinningFiles('go.sum').flatMap((file) => goComponents(file, read(file))),
    ],
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(billOfMaterials(), undefined, 2)}\n`);
