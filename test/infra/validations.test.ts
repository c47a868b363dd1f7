import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from '@jest/globals';
import { ACKNOWLEDGEMENTS, judge } from '../../infra/validations.ts';

/** What is said of a stack with these resources in it. */
function judgementOf(make: (stack: Stack) => unknown): string {
  const outdir = mkdtempSync(join(tmpdir(), 'tokenmesh-judged-'));
  try {
    const app = new App({ outdir, builtinCloudFormationValidation: false });
    make(new Stack(app, 'judged'));
    judge(app);
    app.synth();
    return 'nothing';
  } catch (error) {
    return String(error);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

describe('the judgement of the templates', () => {
  it('fails the synthesis on a finding of AwsSolutions that nobody acknowledged', () => {
    expect(judgementOf((stack) => new Queue(stack, 'queue'))).toContain('ValidationFailed');
  });

  it('fails the synthesis on a finding of PCI DSS that nobody acknowledged', () => {
    expect(judgementOf((stack) => new LogGroup(stack, 'log'))).toContain('ValidationFailed');
  });

  it('lets pass what has no finding', () => {
    expect(judgementOf(() => undefined)).toBe('nothing');
  });

  it('has a reason for each finding that is meant to be so', () => {
    expect(ACKNOWLEDGEMENTS.length).toBeGreaterThan(10);
    for (const { reason } of ACKNOWLEDGEMENTS) expect(reason.length).toBeGreaterThan(40);
  });
});
