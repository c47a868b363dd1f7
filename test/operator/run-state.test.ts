import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimRun, findClaim, readRunState, removeRunState } from '../../operator/run-state.ts';

/** No process has it: the largest pid that Linux gives is 2^22. */
const NOBODY = 2 ** 30;

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenmesh-claims-'));
  file = join(folder, 'run.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a run', () => {
  it('is claimed once, however many start at a moment', () => {
    claimRun(file, { pid: process.pid, directory: join(folder, 'tokenmesh-one') });
    const second = (): void => claimRun(file, { pid: process.pid, directory: join(folder, 'tokenmesh-two') });
    expect(second).toThrow(expect.objectContaining({ code: 'ERR_ALREADY_RUNNING' }));
    expect(findClaim(file)?.directory).toBe(join(folder, 'tokenmesh-one'));
  });

  it('takes the place of one whose runner was killed, and clears away what that left', () => {
    const left = join(folder, 'tokenmesh-left');
    mkdirSync(left);
    claimRun(file, { pid: NOBODY, directory: left });
    claimRun(file, { pid: process.pid, directory: join(folder, 'tokenmesh-next') });
    expect(existsSync(left)).toBe(false);
    expect(findClaim(file)?.directory).toBe(join(folder, 'tokenmesh-next'));
  });

  it('never clears away a folder that is not of a run', () => {
    const other = join(folder, 'documents');
    mkdirSync(other);
    claimRun(file, { pid: NOBODY, directory: other });
    claimRun(file, { pid: process.pid, directory: join(folder, 'tokenmesh-next') });
    expect(existsSync(other)).toBe(true);
  });

  it('that is still starting, or is not there, is told apart from one that is ready', () => {
    claimRun(file, { pid: process.pid, directory: folder });
    expect(() => readRunState(file)).toThrow(expect.objectContaining({ code: 'ERR_STARTING' }));
    removeRunState(file);
    expect(() => readRunState(file)).toThrow(expect.objectContaining({ code: 'ERR_NOT_RUNNING' }));
  });
});
