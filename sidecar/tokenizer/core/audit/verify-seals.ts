import { sealNumberOf } from './row-keys.ts';
import { readSealBody, sealDigest, type SealContent } from './seal.ts';
import type { StoredSeal } from './ports.ts';
import type { AuditProblem, ChainFacts } from './verify-chain.ts';

/**
 * The seals of which KMS has to be asked, so that all of them are proven: the last one vouches for
 * those before it. What is kept outside is asked about where it is not one of the log's.
 */
export function sealsToProve({ seals, outside }: Pick<ChainFacts, 'seals' | 'outside'>): StoredSeal[] {
  const last = seals.findLast((seal) => sealNumberOf(seal.sortKey) !== undefined);
  const isInLog = outside === undefined || seals.some((seal) => isSameSeal(seal, outside));
  return [...(last === undefined ? [] : [last]), ...(isInLog ? [] : [outside])];
}

/** What the seals say, of those that say anything. */
export function readSeals(seals: readonly StoredSeal[]): SealContent[] {
  return seals.map((seal) => readSealBody(seal.body)).filter((content) => content !== undefined);
}

/** What is wrong with the seals among themselves. */
export function problemsOfSeals(facts: ChainFacts): AuditProblem[] {
  return [...chainProblems(facts), ...forgeries(facts), ...outsideProblems(facts)];
}

function chainProblems({ writer, seals }: ChainFacts): AuditProblem[] {
  const problems: AuditProblem[] = [];
  let expected = 0;
  let previous: StoredSeal | undefined;
  for (const seal of seals) {
    const number = sealNumberOf(seal.sortKey);
    if (number === undefined) {
      const found = `a row under the key ${JSON.stringify(seal.sortKey)}, which no writer makes`;
      problems.push({ kind: 'row-foreign', writer, found });
      continue;
    }
    if (number > expected) {
      problems.push({ kind: 'seal-missing', writer, seal: expected, found: `no seal ${expected}` });
    }
    const follows = number > expected || isFollowing(seal, number, writer, previous);
    if (!follows) {
      const found = 'a seal that does not follow the one before it';
      problems.push({ kind: 'seal-changed', writer, seal: number, found });
    }
    expected = number + 1;
    previous = seal;
  }
  return problems;
}

function isFollowing(
  seal: StoredSeal,
  number: number,
  writer: string,
  previous: StoredSeal | undefined,
): boolean {
  const content = readSealBody(seal.body);
  const digest = previous === undefined ? null : sealDigest(previous);
  return content?.writer === writer && content.number === number && content.previousSeal === digest;
}

function forgeries({ writer, forged }: ChainFacts): AuditProblem[] {
  return [...forged].map((seal) => {
    const number = sealNumberOf(seal.sortKey);
    const where = number === undefined ? {} : { seal: number };
    const place = number === undefined ? 'kept outside' : 'in the table';
    return { kind: 'seal-forged', writer, ...where, found: `a seal ${place} whose MAC KMS did not make` };
  });
}

/** The table may be ahead of what is kept outside, since that is written second; never behind, and never another. */
function outsideProblems({ writer, outside, seals, forged }: ChainFacts): AuditProblem[] {
  if (outside === undefined || forged.has(outside)) return [];
  const content = readSealBody(outside.body);
  if (seals.some((seal) => isSameSeal(seal, outside)) && content?.writer === writer) return [];
  const last = seals.at(-1);
  const found =
    content === undefined
      ? 'something kept outside that is no seal'
      : `seal ${content.number} kept outside, and ${last === undefined ? 'no seal' : 'not that seal'} in the table`;
  return [
    {
      kind: 'outside-contradicts',
      writer,
      ...(content === undefined ? {} : { seal: content.number }),
      found,
    },
  ];
}

function isSameSeal(one: StoredSeal, other: StoredSeal): boolean {
  return one.body === other.body && Buffer.from(one.mac).equals(other.mac);
}
