import { create } from 'xmlbuilder2';
import type { CheckResult } from './checks/check.ts';
import type { Verification } from './verify.ts';

/**
 * A verification as a JUnit report: a suite for each group of checks, so that a pipeline shows what failed.
 * What could not be looked at is an error, and not a failure.
 */
export function junitReport({ checks, at }: Verification): string {
  const groups = Map.groupBy(checks, ({ group }) => group);
  const report = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', countsOf(checks));
  for (const [group, ofGroup] of groups) {
    const suite = report.ele('testsuite', {
      name: `tokenmesh verify: ${group}`,
      timestamp: at,
      ...countsOf(ofGroup),
    });
    for (const { id, subject, outcome, sentence, found, hint, document } of ofGroup) {
      const testCase = suite.ele('testcase', { classname: id, name: subject });
      if (outcome === 'held') continue;
      testCase
        .ele(outcome === 'failed' ? 'failure' : 'error', { type: id, message: found })
        .txt(`expected that ${sentence}; found ${found}\n${hint}\n${document}`);
    }
  }
  return report.end({ prettyPrint: true });
}

function countsOf(checks: readonly CheckResult[]): Record<'tests' | 'failures' | 'errors', number> {
  const count = (outcome: CheckResult['outcome']): number =>
    checks.filter((each) => each.outcome === outcome).length;
  return { tests: checks.length, failures: count('failed'), errors: count('unknown') };
}
