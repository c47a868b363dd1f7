import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretFiles } from '../cert-agent/ports.ts';

/**
 * Files that Envoy watches: written beside, under another directory of the same file system, then
 * moved over the old one. Envoy takes notice of moves only, not of files written in place.
 */
export async function secretFiles(directory: string, stagingDirectory: string): Promise<SecretFiles> {
  for (const each of [directory, stagingDirectory]) await mkdir(each, { recursive: true, mode: 0o700 });
  return {
    async swap(fileName, contents) {
      const staged = join(stagingDirectory, fileName);
      await writeFile(staged, contents, { mode: 0o600 });
      await rename(staged, join(directory, fileName));
    },
  };
}
