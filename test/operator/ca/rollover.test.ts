import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Generation } from '../../../operator/ca/ports.ts';
import { rollOver } from '../../../operator/ca/rollover.ts';
import { MemoryMesh, MemoryRecords } from '../../fakes/memory-rollover.ts';
import { createTestHierarchy } from '../../support/issue-certificate.ts';

const WAIT = { waitMs: 1_000 };

const WHOLE = [
  'create 2',
  'lists 2+1',
  'trust 2+1',
  'trust 2+1',
  'issue 2',
  'trust 2',
  'lists 2',
  'delete',
  'disable 1',
];

let generations: Generation[];
let mesh: MemoryMesh;
let records: MemoryRecords;

beforeAll(async () => {
  generations = await Promise.all(
    [1, 2, 3].map(async (generation) => ({
      generation,
      rootArn: `root-${generation}`,
      subordinateArn: `subordinate-${generation}`,
      rootCertificate: (await createTestHierarchy(`generation ${generation}`)).root.certificate,
    })),
  );
});

beforeEach(() => {
  mesh = new MemoryMesh(generations);
  records = new MemoryRecords();
});

const run = async (options: Partial<Parameters<typeof rollOver>[2]> = {}) =>
  await rollOver(mesh.ports(records), 'clients', { ...WAIT, ...options });

describe('a rollover', () => {
  it('adds the new root, issues from it, and only then takes the old one out', async () => {
    const { rollover, steps } = await run();
    expect(rollover).toMatchObject({ step: 'done', from: { generation: 1 }, to: { generation: 2 } });
    expect(steps.map(({ step }) => step)).toEqual(['create', 'trust', 'issue', 'retire']);
    expect(mesh.happened).toEqual(WHOLE);
  });

  it('begins the next one from what the last one put there', async () => {
    await run();
    const { rollover } = await run();
    expect(rollover).toMatchObject({ step: 'done', from: { generation: 2 }, to: { generation: 3 } });
  });

  it('stops after the step that was named, and goes on from there', async () => {
    expect(await run({ until: 'trust' })).toMatchObject({ rollover: { step: 'issue' } });
    expect(mesh.happened.at(-1)).toBe('trust 2+1');
    const { steps } = await run();
    expect(steps.map(({ step }) => step)).toEqual(['issue', 'retire']);
    expect(mesh.broken).toEqual([]);
  });

  it.each([...new Set(WHOLE)])('is taken up after it was killed at "%s"', async (what) => {
    mesh.dieAt = what;
    await expect(run()).rejects.toThrow('killed');
    expect(await run()).toMatchObject({ rollover: { step: 'done', to: { generation: 2 } } });
    expect(mesh.happened.filter((each) => each === 'disable 1')).not.toHaveLength(0);
    expect(mesh.broken).toEqual([]);
  });

  it.each([
    ['the trust of both', undefined, ['create 2', 'lists 2+1', 'trust 2+1']],
    ['its new certificate', 'trust', ['create 2', 'lists 2+1', 'trust 2+1', 'trust 2+1', 'issue 2']],
  ] as const)('refuses to go on while a node lags in %s, and names it', async (_what, until, before) => {
    if (until !== undefined) await run({ until });
    if (until === undefined) mesh.lagging.add('tokenizer');
    else mesh.lagInServing.add('tokenizer');
    const failure = await run().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_ROLLOVER_NODE_LAGS' });
    expect(String(failure)).toContain('tokenizer');
    expect(String(failure)).not.toContain('order:');
    expect(mesh.happened).toEqual(before);
    mesh.lagging.clear();
    mesh.lagInServing.clear();
    expect(await run()).toMatchObject({ rollover: { step: 'done' } });
  });

  it('lets one of two operators go on', async () => {
    await run({ until: 'create' });
    const outcomes = await Promise.allSettled([run(), run()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ERR_ROLLOVER_ELSEWHERE' },
    });
    expect(mesh.broken).toEqual([]);
  });
});
