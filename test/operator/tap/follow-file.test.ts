import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { followFile } from '../../../operator/tap/follow-file.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-follow-'));
  file = join(directory, 'a.log');
  await writeFile(file, 'before\n');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function collect(count: number, options: { fromStart: boolean }): Promise<string[]> {
  const ended = new AbortController();
  const lines: string[] = [];
  for await (const some of followFile(file, { signal: ended.signal, ...options })) {
    lines.push(...some);
    if (lines.length >= count) ended.abort();
  }
  return lines;
}

describe('following a file', () => {
  it('gives what is written from now on, and each line once it is whole', async () => {
    const collecting = collect(2, { fromStart: false });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await appendFile(file, 'one\nhalf');
    await new Promise((resolve) => setTimeout(resolve, 250));
    await appendFile(file, ' and half\n');
    expect(await collecting).toEqual(['one', 'half and half']);
  });

  it('gives what was there before where it is asked to, more than it reads at a time', async () => {
    const long = Array.from({ length: 3_000 }, (_, index) => `line ${index} ${'é'.repeat(20)}`);
    await writeFile(file, `${long.join('\n')}\n`);
    expect(await collect(long.length, { fromStart: true })).toEqual(long);
  });
});
