import { describe, expect, it } from '@jest/globals';
import { parseExportEvent } from '../../cert-exporter/event.ts';

const ARN = 'arn:aws:acm:us-east-1:123456789012:certificate/3f0e';

describe('what starts an export', () => {
  it('is an invocation that names a certificate', () => {
    expect(parseExportEvent({ certificateArn: ARN })).toEqual({ certificateArn: ARN });
  });

  it('is an event of ACM’s that names it', () => {
    const event = {
      source: 'aws.acm',
      'detail-type': 'ACM Certificate Available',
      resources: [ARN],
      detail: { Action: 'ISSUANCE' },
    };
    expect(parseExportEvent(event)).toEqual({ certificateArn: ARN });
  });

  it('is taken from any partition of AWS', () => {
    const certificateArn = 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/3f0e';
    expect(parseExportEvent({ certificateArn })).toEqual({ certificateArn });
  });

  it.each([
    ['nothing', null, ['event: expected an object, got nothing']],
    ['a string', ARN, ['event: expected an object, got a string']],
    ['an empty object', {}, ['event.certificateArn: expected the ARN of an ACM certificate, got nothing']],
    ['another kind of ARN', { certificateArn: 'arn:aws:s3:::bucket' }, ['event.certificateArn']],
    ['an ARN with more behind it', { certificateArn: `${ARN}/../x` }, ['event.certificateArn']],
    ['an unknown key', { certificateArn: ARN, force: true }, ['event.force: unknown key']],
    [
      'an event of another source, without a certificate',
      { source: 'aws.s3', 'detail-type': 'x', resources: [] },
      ['event.source', 'event.resources[0]'],
    ],
    [
      'resources that are no list',
      { source: 'aws.acm', 'detail-type': 'x', resources: ARN },
      ['event.resources[0]'],
    ],
  ])('refuses %s', (_title, event, expected) => {
    expect(() => parseExportEvent(event)).toThrow(expect.objectContaining({ code: 'ERR_EVENT_INVALID' }));
    for (const text of expected) expect(() => parseExportEvent(event)).toThrow(text);
  });

  it('refuses without quoting what was sent', () => {
    const event = { certificateArn: '4111111111111111', '4111111111111111': 'x' };
    expect(() => parseExportEvent(event)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('4111') }),
    );
  });
});
