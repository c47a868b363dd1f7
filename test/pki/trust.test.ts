import { beforeAll, describe, expect, it } from '@jest/globals';
import { judgeTrust } from '../../pki/trust.ts';
import { createTestHierarchy, issueLeaf, type TestHierarchy } from '../support/issue-certificate.ts';

const DAY_MS = 86_400_000;
const now = new Date();

let hierarchy: TestHierarchy;
let other: TestHierarchy;

beforeAll(async () => {
  hierarchy = await createTestHierarchy('clients');
  other = await createTestHierarchy('next');
});

function codes(pem: string, at = now): string[] {
  const judged = judgeTrust(pem, at);
  return judged.verdict === 'usable' ? [] : judged.problems.map(({ code }) => code);
}

describe('a trust bundle', () => {
  it('is usable with one root, and with two during a rollover', () => {
    expect(codes(hierarchy.root.certificate)).toEqual([]);
    const both = judgeTrust(hierarchy.root.certificate + other.root.certificate, now);
    expect(both).toMatchObject({ verdict: 'usable', roots: [{}, {}] });
  });

  it('refuses an empty one, which would refuse everyone', () => {
    expect(codes('\n')).toEqual(['ERR_TRUST_MISSING']);
  });

  it('refuses garbage, alone and beside a root', () => {
    expect(codes('garbage')).toEqual(['ERR_TRUST_UNREADABLE']);
    expect(codes(`${hierarchy.root.certificate}garbage`)).toEqual(['ERR_TRUST_UNREADABLE']);
  });

  it('refuses a root that is cut off', () => {
    expect(codes(other.root.certificate + hierarchy.root.certificate.slice(0, 200))).toEqual([
      'ERR_TRUST_UNREADABLE',
    ]);
  });

  it('refuses an intermediate', () => {
    expect(codes(hierarchy.subordinate.certificate)).toEqual(['ERR_TRUST_NOT_SELF_SIGNED']);
  });

  it('refuses a leaf', async () => {
    const leaf = await issueLeaf(hierarchy.subordinate, 'order.tokenmesh.internal');
    expect(codes(leaf.certificate)).toEqual(['ERR_TRUST_NOT_CA', 'ERR_TRUST_NOT_SELF_SIGNED']);
  });

  it('refuses an expired root', () => {
    const later = new Date(now.getTime() + 400 * DAY_MS);
    expect(codes(hierarchy.root.certificate, later)).toEqual(['ERR_TRUST_EXPIRED']);
  });

  it('refuses a root that is not valid yet', () => {
    const before = new Date(now.getTime() - 10 * DAY_MS);
    expect(codes(hierarchy.root.certificate, before)).toEqual(['ERR_TRUST_NOT_YET_VALID']);
  });
});
