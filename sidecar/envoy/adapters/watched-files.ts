import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TokenmeshError } from '../../../errors/error.ts';
import type { WatchedFiles } from '../cert-agent/ports.ts';

/**
 * Files that Envoy watches: written beside, under another directory of the same file system, then
 * moved over the old one. Envoy takes notice of moves only, not of files written in place. A file that
 * could not be written whole is never moved, and does not stay.
 */
export async function watchedFiles(directory: string, stagingDirectory: string): Promise<WatchedFiles> {
  for (const each of [directory, stagingDirectory]) await mkdir(each, { recursive: true, mode: 0o700 });
  return {
    async swap(fileName, contents) {
      const staged = join(stagingDirectory, fileName);
      try {
        await writeFile(staged, contents, { mode: 0o600 });
        await rename(staged, join(directory, fileName));
      } catch (error) {
        await rm(staged, { force: true }).catch(() => {});
        throw notWritten(fileName, error);
      }
    },
  };
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "make room in the task's volume; the sidecar tries again by itself",
  EDQUOT: "make room in the task's volume; the sidecar tries again by itself",
  EACCES: "let the sidecar's user write in TOKENMESH_RUN_DIRECTORY; the sidecar tries again by itself",
  EPERM: "let the sidecar's user write in TOKENMESH_RUN_DIRECTORY; the sidecar tries again by itself",
  EROFS: 'mount the volume of TOKENMESH_RUN_DIRECTORY for writing',
};

function notWritten(fileName: string, cause: unknown): TokenmeshError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new TokenmeshError({
    code: 'ERR_SECRET_NOT_WRITTEN',
    message: `${fileName} could not be written for Envoy, which goes on with the one it has: expected a file moved into place, got ${reason}`,
    remedy: REMEDIES[reason] ?? "see the task's volume; the sidecar tries again by itself",
    cause,
  });
}
