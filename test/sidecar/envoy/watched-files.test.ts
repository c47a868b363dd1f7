import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { watchedFiles } from '../../../sidecar/envoy/adapters/watched-files.ts';
import type { WatchedFiles } from '../../../sidecar/envoy/cert-agent/ports.ts';

let directory = '';
let files: WatchedFiles;
const watched = (name = ''): string => join(directory, 'watched', name);
const staged = (name = ''): string => join(directory, 'staging', name);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tokenmesh-files-'));
  files = await watchedFiles(watched(), staged());
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('files that Envoy watches', () => {
  it('are moved over the old one, and only their own user may read them', async () => {
    await files.swap('server.json', 'first');
    const { ino } = statSync(watched('server.json'));
    await files.swap('server.json', 'next');
    expect(readFileSync(watched('server.json'), 'utf8')).toBe('next');
    expect(statSync(watched('server.json')).ino).not.toBe(ino);
    expect(statSync(watched('server.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(staged())).toEqual([]);
  });

  it('stay as they are when the disk is full, and nothing of the new one is left', async () => {
    await files.swap('server.json', 'first');
    symlinkSync('/dev/full', staged('server.json'));
    await expect(files.swap('server.json', 'next')).rejects.toMatchObject({
      code: 'ERR_SECRET_NOT_WRITTEN',
      message: expect.stringContaining('ENOSPC'),
      remedy: expect.stringContaining('make room'),
    });
    expect(readFileSync(watched('server.json'), 'utf8')).toBe('first');
    expect(readdirSync(staged())).toEqual([]);
    await files.swap('server.json', 'next');
    expect(readFileSync(watched('server.json'), 'utf8')).toBe('next');
  });

  it('are not in place of what cannot be moved over', async () => {
    mkdirSync(watched('server.json'));
    await expect(files.swap('server.json', 'next')).rejects.toMatchObject({
      code: 'ERR_SECRET_NOT_WRITTEN',
      message: expect.not.stringContaining('next'),
    });
    expect(readdirSync(staged())).toEqual([]);
  });
});
