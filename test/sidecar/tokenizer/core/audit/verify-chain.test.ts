import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sealKey, segmentKey } from '../../../../../sidecar/tokenizer/core/audit/row-keys.ts';
import { readSealBody, sealBody, sealDigest } from '../../../../../sidecar/tokenizer/core/audit/seal.ts';
import {
  beginningOf,
  digestOf,
  nextSegment,
  readSegmentBody,
} from '../../../../../sidecar/tokenizer/core/audit/segment.ts';
import { SEAL_INTERVAL_MS } from '../../../../../sidecar/tokenizer/core/audit/trail.ts';
import type { MemoryAuditLog, Row } from '../../../../fakes/memory-audit-log.ts';
import { AUDIT_START, EVENT, startAuditUnderTest } from '../../../../support/audit-under-test.ts';

/** What an attacker has who can write the table: everything but the key. */
interface Attacked {
  readonly log: MemoryAuditLog;
  readonly writer: string;
  readonly rows: Map<string, Row>;
}

const SEGMENTS = 6;
const SEALS = 4;
const ANY_KEY = createSecretKey(randomBytes(32));

/** Six segments: seal 0 is of the beginning, seal 1 of segment 1, seal 2 of segment 3, seal 3 of segment 5. */
async function startChain() {
  const audited = startAuditUnderTest();
  for (let count = 1; count <= SEGMENTS; count += 1) {
    if (count % 2 === 1) audited.clock.now = new Date(AUDIT_START.getTime() + count * SEAL_INTERVAL_MS);
    await audited.audit.record([EVENT, { ...EVENT, operation: 'describe' }]);
    await audited.audit.sealIfDue();
  }
  const [writer = ''] = await audited.log.writers();
  return { ...audited, writer, rows: audited.log.rows.get(writer) ?? new Map<string, Row>() };
}

function rowAt({ rows }: Attacked, key: string): Row {
  const row = rows.get(key);
  if (row === undefined) throw new Error(`expected a row under ${key}`);
  return row;
}

function change(attacked: Attacked, key: string, changed: Partial<Row>): void {
  attacked.rows.set(key, { ...rowAt(attacked, key), ...changed });
}

/** Makes the chain from a segment on anew, each link right, as whoever has no key can. */
function rewriteFrom(attacked: Attacked, first: number): void {
  const { rows, writer } = attacked;
  let head =
    first === 1
      ? beginningOf(writer)
      : { sequence: first - 1, hash: rowAt(attacked, segmentKey(first - 1)).hash ?? '' };
  for (let sequence = first; rows.has(segmentKey(sequence)); sequence += 1) {
    const made = nextSegment(writer, ANY_KEY, head, ['{"forged":true}']);
    rows.set(segmentKey(sequence), made);
    head = made;
  }
}

type Tampering = readonly [
  what: string,
  tamper: (attacked: Attacked) => void,
  problems: readonly (readonly [kind: string, place?: number])[],
];

const TAMPERINGS: readonly Tampering[] = [
  [
    'a record was changed',
    (attacked) => {
      const { body } = rowAt(attacked, segmentKey(2));
      change(attacked, segmentKey(2), { body: body.replace('order', 'ordor') });
    },
    [['segment-changed', 2]],
  ],
  [
    'a record was changed and the hash made to fit',
    (attacked) => {
      const body = rowAt(attacked, segmentKey(2)).body.replace('"ok"', '"no"');
      change(attacked, segmentKey(2), { body, hash: digestOf(body) });
    },
    [['segment-forged', 2]],
  ],
  [
    'a record was removed from a segment',
    (attacked) => {
      const { body } = rowAt(attacked, segmentKey(2));
      const shorter = body.replace(/,\{"at"[^}]*"describe"[^}]*\}/, '');
      expect(readSegmentBody(shorter)?.records).toHaveLength(1);
      change(attacked, segmentKey(2), { body: shorter });
    },
    [['segment-changed', 2]],
  ],
  [
    'the chain was made anew, from a segment to the end',
    (attacked) => rewriteFrom(attacked, 4),
    [
      ['segment-forged', 4],
      ['segment-forged', 5],
      ['segment-forged', 6],
    ],
  ],
  ['the unsealed end was made anew', (attacked) => rewriteFrom(attacked, 6), [['segment-forged', 6]]],
  [
    'a segment was added at the end',
    (attacked) => {
      const { hash = '' } = rowAt(attacked, segmentKey(6));
      attacked.rows.set(
        segmentKey(7),
        nextSegment(attacked.writer, ANY_KEY, { sequence: 6, hash }, ['{"forged":true}']),
      );
    },
    [['segment-forged', 7]],
  ],
  ['the first segment was removed', ({ rows }) => rows.delete(segmentKey(1)), [['segment-missing', 1]]],
  ['a middle segment was removed', ({ rows }) => rows.delete(segmentKey(3)), [['segment-missing', 3]]],
  [
    'two middle segments were removed',
    ({ rows }) => [2, 3].forEach((sequence) => rows.delete(segmentKey(sequence))),
    [['segment-missing', 2]],
  ],
  [
    'a middle segment was removed and those after it moved up',
    (attacked) => {
      for (let sequence = 3; sequence < SEGMENTS; sequence += 1) {
        attacked.rows.set(segmentKey(sequence), rowAt(attacked, segmentKey(sequence + 1)));
      }
      attacked.rows.delete(segmentKey(SEGMENTS));
    },
    [
      ['segment-moved', 3],
      ['segment-moved', 4],
      ['segment-moved', 5],
    ],
  ],
  [
    'two segments were swapped',
    (attacked) => {
      const [second, third] = [rowAt(attacked, segmentKey(2)), rowAt(attacked, segmentKey(3))];
      attacked.rows.set(segmentKey(2), third).set(segmentKey(3), second);
    },
    [
      ['segment-moved', 2],
      ['segment-moved', 3],
    ],
  ],
  [
    'an old segment was played again at the end',
    (attacked) => attacked.rows.set(segmentKey(7), rowAt(attacked, segmentKey(2))),
    [['segment-moved', 7]],
  ],
  [
    'the sealed end was cut off',
    ({ rows }) => [5, 6].forEach((sequence) => rows.delete(segmentKey(sequence))),
    [['tail-missing', 5]],
  ],
  [
    'the sealed end was cut off with its seals',
    ({ rows }) =>
      [segmentKey(4), segmentKey(5), segmentKey(6), sealKey(3)].forEach((key) => rows.delete(key)),
    [
      ['outside-contradicts', 3],
      ['tail-missing', 4],
    ],
  ],
  [
    'everything of a writer was removed',
    ({ log, writer }) => log.rows.delete(writer),
    [
      ['outside-contradicts', 3],
      ['tail-missing', 1],
    ],
  ],
  [
    'what is kept outside was removed',
    ({ log, writer }) => log.outside.delete(writer),
    [['outside-missing']],
  ],
  [
    'what is kept outside was replaced',
    ({ log, writer }) => {
      const kept = log.outside.get(writer);
      if (kept !== undefined) log.outside.set(writer, { ...kept, mac: randomBytes(32) });
    },
    [['seal-forged']],
  ],
  [
    'the last seal was forged',
    (attacked) => {
      const content = readSealBody(rowAt(attacked, sealKey(3)).body);
      if (content === undefined) throw new Error('expected a seal');
      change(attacked, sealKey(3), { body: sealBody({ ...content, sealedAt: AUDIT_START.toISOString() }) });
    },
    [
      ['seal-forged', 3],
      ['outside-contradicts', 3],
    ],
  ],
  [
    'a seal of a chain of ones own was added',
    (attacked) => {
      const { body, mac } = rowAt(attacked, sealKey(3));
      if (!(mac instanceof Uint8Array)) throw new Error('expected a seal');
      const previousSeal = sealDigest({ body, mac });
      const content = {
        writer: attacked.writer,
        number: 4,
        sequence: 6,
        hash: digestOf('own'),
        previousSeal,
      };
      const own = sealBody({ ...content, sealedAt: AUDIT_START.toISOString() });
      attacked.rows.set(sealKey(4), { body: own, mac: randomBytes(32) });
    },
    [
      ['seal-forged', 4],
      ['segment-replaced', 6],
    ],
  ],
  [
    'an earlier seal was changed',
    (attacked) => change(attacked, sealKey(1), { mac: randomBytes(32) }),
    [['seal-changed', 2]],
  ],
  ['an earlier seal was removed', ({ rows }) => rows.delete(sealKey(1)), [['seal-missing', 1]]],
  ['the last seal was removed', ({ rows }) => rows.delete(sealKey(3)), [['outside-contradicts', 3]]],
  [
    'a row was planted that no writer makes',
    ({ rows }) => rows.set('~', { body: '{}' }).set('seal#x', { body: '{}' }),
    [['row-foreign'], ['row-foreign']],
  ],
  [
    'a segment is no longer readable',
    (attacked) => change(attacked, segmentKey(4), { body: 'x'.repeat(10), hash: digestOf('x'.repeat(10)) }),
    [['segment-changed', 4]],
  ],
];

describe('the verification of the audit', () => {
  it('holds for a chain that nobody touched, and counts it', async () => {
    const { verify, writer } = await startChain();
    expect(await verify()).toMatchObject({
      ok: true,
      segments: SEGMENTS,
      records: SEGMENTS * 2,
      unsealedSegments: 1,
      problems: [],
      writers: [{ writer }],
    });
  });

  it.each(TAMPERINGS)('finds that %s', async (_what, tamper, problems) => {
    const chain = await startChain();
    expect((await chain.log.seals(chain.writer)).length).toBe(SEALS);
    tamper(chain);
    const verification = await chain.verify();
    expect(verification.ok).toBe(false);
    expect(verification.problems.map(({ kind, sequence, seal }) => [kind, sequence ?? seal])).toEqual(
      problems.map(([kind, place]) => [kind, place]),
    );
    expect(new Set(verification.problems.map((problem) => problem.writer))).toEqual(new Set([chain.writer]));
  });

  it('finds a segment of one writer among those of another', async () => {
    const [chain, other] = [await startChain(), await startChain()];
    const foreign = other.rows.get(segmentKey(2));
    if (foreign !== undefined) chain.rows.set(segmentKey(2), foreign);
    expect((await chain.verify()).problems).toEqual([
      expect.objectContaining({ kind: 'segment-moved', sequence: 2, writer: chain.writer }),
    ]);
  });

  it('finds a chain that somebody made up, beside the true one', async () => {
    const chain = await startChain();
    const segment = nextSegment('somebody', ANY_KEY, beginningOf('somebody'), ['{}']);
    chain.log.rows.set('somebody', new Map([[segmentKey(1), segment]]));
    const { problems } = await chain.verify();
    expect(problems.map(({ kind, writer }) => [kind, writer])).toEqual([
      ['segment-forged', 'somebody'],
      ['outside-missing', 'somebody'],
    ]);
  });

  it('does not hold where there is nothing', async () => {
    expect(await startAuditUnderTest().verify()).toMatchObject({ ok: false, writers: [], problems: [] });
  });

  it('says nothing where KMS cannot be asked', async () => {
    const { verify, mac } = await startChain();
    mac.isDown = true;
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
  });

  it('holds for a writer that had only begun when it ended', async () => {
    const { audit, log, verify } = startAuditUnderTest();
    await audit.checkReady();
    expect(await verify()).toMatchObject({ ok: true, segments: 0 });
    log.outside.clear();
    expect(await verify()).toMatchObject({ ok: true, segments: 0 });
  });

  it('holds while the writer goes on', async () => {
    const { audit, verify, clock } = await startChain();
    const writing = (async () => {
      for (let count = 0; count < 200; count += 1) {
        clock.now = new Date(clock.now.getTime() + SEAL_INTERVAL_MS / 3);
        await audit.record([EVENT]);
      }
    })();
    for (let count = 0; count < 20; count += 1) expect((await verify()).problems).toEqual([]);
    await writing;
  });
});
