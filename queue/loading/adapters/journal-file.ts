import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError } from '../../../errors/error.ts';
import { LOAD_ID } from '../../part.ts';
import type { Journal, JournalFile } from '../ports.ts';
import { unreadable } from './csv-file.ts';

const JournalShape = Type.Object({
  load: Type.String({ pattern: LOAD_ID.source }),
  bytes: Type.Integer(),
  modifiedMs: Type.Number(),
  options: Type.String(),
  partsSent: Type.Integer({ minimum: 0 }),
  parts: Type.Optional(Type.Integer({ minimum: 0 })),
});

/**
 * The journal in a file beside the one that is loaded.
 *
 * @param options - How the columns are to be read: what an earlier run read in another way would be other parts.
 */
export function journalFile(file: string, options: string): JournalFile {
  const path = `${file}.load`;
  const write = async (journal: Journal): Promise<void> => {
    await writeFile(`${path}.new`, JSON.stringify(journal), { mode: 0o600 });
    await rename(`${path}.new`, path);
  };
  return {
    path,
    write,
    async find() {
      const found = await readFile(path, 'utf8').then(parse, (cause: unknown) => noneOr(cause, path));
      if (found === undefined) return undefined;
      const now = Value.Check(JournalShape, found) ? await factsOf(file) : undefined;
      const isSame =
        now !== undefined &&
        Value.Check(JournalShape, found) &&
        found.bytes === now.bytes &&
        found.modifiedMs === now.modifiedMs &&
        found.options === options;
      if (!isSame) throw changed(file, path);
      return found;
    },
    async begin(load) {
      const journal = { load, ...(await factsOf(file)), options, partsSent: 0 };
      await write(journal);
      return journal;
    },
    remove: async () => await rm(path, { force: true }),
  };
}

async function factsOf(file: string): Promise<Pick<Journal, 'bytes' | 'modifiedMs'>> {
  try {
    const { size, mtimeMs } = await stat(file);
    return { bytes: size, modifiedMs: mtimeMs };
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** A journal that may not be read is none the less one: without it, what was sent would get other tokens. */
function noneOr(cause: unknown, path: string): undefined {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw unreadable(path, cause);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function changed(file: string, journal: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_LOAD_CHANGED',
    message: `${file} was loaded in part before, and it or the options are others now: expected what ${journal} says`,
    remedy: `go on with the file and the options as they were, or remove ${journal} to begin anew: what was sent gets tokens of its own then`,
  });
}
