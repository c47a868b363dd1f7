/**
 * The tutorial, done as its reader does it: in a copy of the tree, with the files that the page has written, and
 * every command run.
 *
 * @module
 */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isAsShown, runSession, type RunCommand } from '../support/console-session.ts';
import { NOT_OURS, ROOT, textOf } from '../support/documents.ts';
import { failedIn } from '../support/reader.ts';
import { changed, stepsIn, type PageStep } from '../support/page-steps.ts';
import { StartedRun } from '../support/running-mesh.ts';

const DEADLINE_MS = 600_000;
const START_DEADLINE_MS = 400_000;

const STEPS = stepsIn(textOf('docs/tutorial.md'));
const FIRST_FILE = STEPS.findIndex(({ kind }) => kind !== 'session');

describe('the tutorial', () => {
  let folder = '';
  let run: StartedRun | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenmesh-tutorial-'));
    cpSync(ROOT, folder, { recursive: true, filter: (path) => !NOT_OURS.includes(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterEach(async () => {
    await run?.end();
    run = undefined;
  }, DEADLINE_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function write(step: PageStep): void {
    if (step.kind === 'session') return;
    const path = join(folder, step.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, step.kind === 'file' ? step.text : changed(readFileSync(path, 'utf8'), step.diff));
  }

  /** `npm start` in one terminal; in another, in one shell, all that follows it. */
  async function type(steps: readonly PageStep[]): Promise<RunCommand[]> {
    const [start, ...rest] = steps.flatMap((step) => (step.kind === 'session' ? step.commands : []));
    expect(start?.command).toBe('npm start');
    // Where the Envoy and the emulator are that the tests installed.
    run = new StartedRun(undefined, [], { TOKENMESH_HOME: ROOT, NO_COLOR: '1' }, folder);
    await run.says('stop       Ctrl-C', START_DEADLINE_MS);
    const started = {
      command: 'npm start',
      shown: start?.shown ?? [],
      printed: run.output.split('\n'),
      code: 0,
    };
    const typed = await runSession(rest, {
      cwd: folder,
      environment: { TOKENMESH_STATE: run.stateFile, NO_COLOR: '1' },
    });
    return [started, ...typed];
  }

  it(
    'starts with a mesh that can be looked at',
    async () => {
      const typed = await type(STEPS.slice(0, FIRST_FILE));
      expect(typed.filter((each) => !isAsShown(each))).toEqual([]);
      expect(failedIn(typed)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'ends with a service of one’s own that holds a token, in a mesh whose every edge is proven',
    async () => {
      STEPS.forEach(write);
      const typed = await type(STEPS.slice(FIRST_FILE));
      expect(typed.filter((each) => !isAsShown(each))).toEqual([]);
      expect(failedIn(typed)).toEqual([]);
    },
    DEADLINE_MS,
  );
});
