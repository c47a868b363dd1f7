import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import {
  openPolicyFolder,
  type PolicyFolder,
  type PolicyStatus,
} from '../../../../sidecar/tokenizer/adapters/policy-folder.ts';
import { readPolicyFiles } from '../../../../sidecar/tokenizer/adapters/policy-files.ts';

const DEADLINE_MS = 5_000;
const START = new Date('2026-03-04T05:06:07.008Z');

const NOTHING_PLAIN =
  '@id("test.nothing-plain")\nforbid (principal, action == Action::"reveal-plain", resource);\n';
const NOTHING = '@id("test.nothing")\nforbid (principal, action, resource);\n';

let directory: string;
let folder: PolicyFolder | undefined;
let statuses: PolicyStatus[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-policies-'));
  statuses = [];
});
afterEach(async () => {
  folder?.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(timing = { settleMs: 20, pollMs: 50 }): Promise<PolicyFolder> {
  folder = await openPolicyFolder({
    directory,
    mesh: tokenizationMesh,
    now: () => START,
    onStatus: (status) => statuses.push(status),
    timing,
  });
  return folder;
}

const write = async (name: string, text: string): Promise<void> =>
  await writeFile(join(directory, name), text);

function forms(): string {
  const permits = (operation: 'reveal-plain' | 'reveal-masked'): boolean | undefined =>
    folder?.policy.permits({
      identity: 'paybill.tokenmesh.internal',
      operation,
      tenant: 'shop',
      class: 'pan',
      purpose: 'payment',
      kind: 'random',
      format: 'default',
    });
  if (permits('reveal-plain') === true) return 'plain';
  return permits('reveal-masked') === true ? 'masked' : 'redacted';
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!isSo()) {
    if (Date.now() > deadline)
      throw new Error(`expected it within ${DEADLINE_MS} ms: ${JSON.stringify(statuses)}`);
    await sleep(10);
  }
}

describe('a folder of policies', () => {
  it('that is empty leaves what the mesh grants', async () => {
    await open();
    expect(forms()).toBe('plain');
    expect(statuses).toMatchObject([{ policies: 14, loadedAt: START }]);
  });

  it('is followed: a file that is added, changed and removed is in force without a restart', async () => {
    await open();
    await write('a.cedar', NOTHING_PLAIN);
    await until(() => forms() === 'masked');
    await write('a.cedar', NOTHING);
    await until(() => forms() === 'redacted');
    await rm(join(directory, 'a.cedar'));
    await until(() => forms() === 'plain');
    expect(new Set(statuses.map(({ revision }) => revision)).size).toBe(3);
    expect(statuses.every(({ refused }) => refused === undefined)).toBe(true);
  });

  it('keeps what was in force when a file is not valid, tells it once, and goes on from there', async () => {
    await write('a.cedar', NOTHING_PLAIN);
    await open();
    await write('a.cedar', 'permit (everything);');
    await until(() => folder?.status().refused !== undefined);
    await sleep(300);
    expect(forms()).toBe('masked');
    expect(statuses).toHaveLength(2);
    expect(statuses[1]).toMatchObject({
      revision: statuses[0]?.revision,
      refused: { at: START, problem: expect.stringContaining('a.cedar:1: ') },
    });
    await write('a.cedar', NOTHING);
    await until(() => forms() === 'redacted');
    expect(folder?.status().refused).toBeUndefined();
  });

  it('says that all is well again when an invalid file is put back as it was', async () => {
    await write('a.cedar', NOTHING_PLAIN);
    await open();
    await write('a.cedar', '');
    await until(() => folder?.status().refused !== undefined);
    await write('a.cedar', NOTHING_PLAIN);
    await until(() => folder?.status().refused === undefined);
    expect(forms()).toBe('masked');
  });

  it('keeps what was in force when the folder goes, and takes up the one that comes in its place', async () => {
    await write('a.cedar', NOTHING_PLAIN);
    await open();
    await rename(directory, `${directory}-gone`);
    await until(() => folder?.status().refused !== undefined);
    expect(forms()).toBe('masked');
    await mkdir(directory);
    await until(() => forms() === 'plain');
    await rm(`${directory}-gone`, { recursive: true });
  });

  it('is followed through a link that is moved, as a mounted folder of settings is', async () => {
    await mkdir(join(directory, '..one'));
    await writeFile(join(directory, '..one', 'a.cedar'), NOTHING_PLAIN);
    await symlink('..one', join(directory, '..data'));
    await symlink(join('..data', 'a.cedar'), join(directory, 'a.cedar'));
    await open();
    expect(forms()).toBe('masked');
    await mkdir(join(directory, '..two'));
    await writeFile(join(directory, '..two', 'a.cedar'), NOTHING);
    await symlink('..two', join(directory, '..new'));
    await rename(join(directory, '..new'), join(directory, '..data'));
    await until(() => forms() === 'redacted');
  });

  it('is not taken while it changes: a file that is cut short for a moment says nothing', async () => {
    await write('a.cedar', NOTHING);
    await write('b.cedar', NOTHING.replace('test.nothing', 'test.b'));
    await open({ settleMs: 250, pollMs: 20 });
    await write('a.cedar', NOTHING.slice(0, 20));
    await sleep(30);
    await write('a.cedar', NOTHING);
    await sleep(600);
    expect(statuses).toHaveLength(1);
  });

  it('is looked at no more once it is closed', async () => {
    (await open()).close();
    await write('a.cedar', NOTHING);
    await sleep(200);
    expect([forms(), statuses.length]).toEqual(['plain', 1]);
  });

  it('that is not valid at the start is an error', async () => {
    await write('a.cedar', 'permit (everything);');
    await expect(open()).rejects.toMatchObject({ code: 'ERR_POLICY_INVALID' });
  });
});

describe('the files of a folder', () => {
  it("are those named *.cedar, in the order of their names, without an editor's own and the schema's copy", async () => {
    for (const name of [
      'b.cedar',
      'a.cedar',
      '.a.cedar.swp',
      'a.cedar~',
      '#a.cedar#',
      'README.md',
      'x.cedarschema',
    ]) {
      await write(name, name);
    }
    expect(await readPolicyFiles(directory)).toEqual([
      { name: 'a.cedar', text: 'a.cedar' },
      { name: 'b.cedar', text: 'b.cedar' },
    ]);
  });

  it.each([
    ['a misspelt name', 'forbid.ceder', NOTHING, '"forbid.ceder"'],
    ['a file that is too large', 'a.cedar', '/'.repeat(300_000), 'got 300000'],
  ])('are refused with %s', async (_, name, text, told) => {
    await write(name, text);
    const refused = readPolicyFiles(directory);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_POLICY_DIRECTORY' });
    await expect(refused).rejects.toThrow(told);
  });

  it('are refused where one is a folder, and where there is no folder at all', async () => {
    await mkdir(join(directory, 'a.cedar'));
    await expect(readPolicyFiles(directory)).rejects.toMatchObject({ code: 'ERR_POLICY_DIRECTORY' });
    await expect(readPolicyFiles(join(directory, 'none'))).rejects.toMatchObject({
      code: 'ERR_POLICY_DIRECTORY',
      remedy: expect.stringContaining('TOKENMESH_POLICIES_DIRECTORY'),
    });
  });
});
