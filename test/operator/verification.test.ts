import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { CHECK_IDS, CHECKS, documentOf } from '../../operator/checks/catalogue.ts';
import { check, withUnknown, type CheckResult } from '../../operator/checks/check.ts';
import { expectedChecks } from '../../operator/checks/expected.ts';
import { Looking, SilentError } from '../../operator/facts/looking.ts';
import { junitReport } from '../../operator/junit.ts';
import { checksReport, verificationReport } from '../../operator/report.ts';
import { idsNamed } from '../../operator/verify-command.ts';

const HELD = check('mtls.version', 'order -> tokenizer', true, 'TLSv1.3 5');
const FAILED = check('certificates.served', 'order client', false, 'issued aa..., served bb...');
const EXPECTED = [
  { id: 'mtls.version', subject: 'order -> tokenizer' },
  { id: 'clock.agrees', subject: 'order' },
  { id: 'clock.agrees', subject: 'paybill' },
] as const;

const verification = (checks: readonly CheckResult[]) => ({
  ok: checks.every(({ ok }) => ok),
  at: '2026-01-01T00:00:00.000Z',
  edges: [],
  checks,
});

describe('what could not be looked at', () => {
  it('is unknown, with the reason, and does not hold', () => {
    const made = withUnknown(
      EXPECTED,
      [HELD],
      [{ group: 'clock', subject: 'order', reason: 'could not be looked at: ECONNREFUSED' }],
    );
    expect(made.map(({ id, subject, outcome, ok, found }) => [id, subject, outcome, ok, found])).toEqual([
      ['mtls.version', 'order -> tokenizer', 'held', true, 'TLSv1.3 5'],
      ['clock.agrees', 'order', 'unknown', false, 'could not be looked at: ECONNREFUSED'],
      ['clock.agrees', 'paybill', 'unknown', false, 'not looked at'],
    ]);
  });

  it('hides nothing else, and shows the kind of an error and not its text', async () => {
    const looking = new Looking();
    const facts = await looking.atEach('clock', ['a', 'b', 'c', 'd'], String, async (name) => {
      if (name === 'b') throw Object.assign(new Error('secret text'), { code: 'ECONNRESET' });
      if (name === 'c') throw new SilentError('the sidecar of c');
      return await Promise.resolve(name);
    });
    expect(facts).toEqual(['a', 'd']);
    expect(looking.unseen).toEqual([
      { group: 'clock', subject: 'b', reason: 'could not be looked at: ECONNRESET' },
      { group: 'clock', subject: 'c', reason: 'could not be looked at: the sidecar of c does not answer' },
    ]);
  });

  it('cannot be an id that the shipped mesh never calls for, but those that depend on its choices', () => {
    const called = new Set(expectedChecks(tokenizationMesh).map(({ id }) => id));
    expect(CHECK_IDS.filter((id) => !called.has(id))).toEqual(['certificates.renews-itself']);
    expect(expectedChecks(tokenizationMesh, new Set(['order']))).toContainEqual({
      id: 'certificates.renews-itself',
      subject: 'order client',
    });
    const subjects = expectedChecks(tokenizationMesh).map(({ id, subject }) => `${id} ${subject}`);
    expect(new Set(subjects).size).toBe(subjects.length);
  });
});

describe('a check', () => {
  it('has a severity, a claim, a hint and a page for every id', () => {
    for (const id of CHECK_IDS) {
      const { sentence, hint, severity } = CHECKS[id];
      expect([sentence.length > 10, hint.length > 10, ['critical', 'warning'].includes(severity)]).toEqual([
        true,
        true,
        true,
      ]);
      expect(documentOf(id)).toMatch(/^docs\/checks\.md#[a-z0-9-]+$/);
    }
  });

  it('names the node in its hint', () => {
    expect(FAILED.hint).toBe('rotate it: npm run mesh -- rotate order');
  });
});

describe('a report', () => {
  const checks = [HELD, FAILED, ...withUnknown([EXPECTED[1]], [], [])];

  it('tells what failed and what is unknown, with severity, hint and page', () => {
    expect(checksReport(checks))
      .toBe(`FAILED  critical  certificates.served  order client: expected that the serial served is the serial issued; found issued aa..., served bb...
        rotate it: npm run mesh -- rotate order
        docs/checks.md#certificates-each-certificate
UNKNOWN warning   clock.agrees  order: expected that the clock is within 30 s of this machine's; found not looked at
        see which of the two clocks is wrong: certificates, tokens and expiry all go by them
        docs/checks.md#clock-each-node-and-aws
1 of 3 checks held; 1 could not be looked at`);
    expect(verificationReport(verification(checks))).toBe(checksReport(checks));
  });

  it('is JUnit too: a suite for each group, failures and errors told apart', () => {
    const xml = junitReport(verification(checks));
    expect(xml).toContain('<testsuites tests="3" failures="1" errors="1">');
    expect(xml).toContain('<testcase classname="mtls.version" name="order -&gt; tokenizer"/>');
    expect(xml).toContain('<failure type="certificates.served" message="issued aa..., served bb...">');
    expect(xml).toContain('<error type="clock.agrees" message="not looked at">');
    expect(xml).toContain('name="tokenmesh verify: clock" timestamp="2026-01-01T00:00:00.000Z" tests="1"');
  });
});

describe('--only', () => {
  it('takes groups and ids, apart or with commas', () => {
    expect([...idsNamed(['clock', 'mtls.version'])]).toEqual(['mtls.version', 'clock.agrees']);
    expect([...idsNamed(['vault,clock'])]).toEqual(['vault.ready', 'clock.agrees']);
  });

  it.each([[['mtl']], [['mtls.versions']], [['']], [[',']]])('refuses %p', (names) => {
    expect(() => idsNamed(names)).toThrow(expect.objectContaining({ code: 'ERR_CHECK_UNKNOWN' }));
  });
});
