import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files under a directory that hold any of these texts, by path within it. */
export function filesWith(directory: string, texts: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.isFile() === true)
    .filter((name) => {
      const contents = readFileSync(join(directory, name));
      return texts.some((text) => contents.includes(text));
    });
}
