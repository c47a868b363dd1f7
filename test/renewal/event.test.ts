import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseRenewalEvent } from '../../renewal/event.ts';

const ARN = 'arn:aws:acm:us-east-1:123456789012:certificate/3f0e';
const OTHER_ARN = 'arn:aws:acm:us-east-1:123456789012:certificate/7a11';

function envelope(change: Record<string, unknown>): Record<string, unknown> {
  return {
    version: '0',
    id: 'c0ffee',
    source: 'aws.acm',
    account: '123456789012',
    time: '2026-03-01T12:00:00Z',
    region: 'us-east-1',
    resources: [ARN],
    detail: {},
    ...change,
  };
}

function rotation(change: Record<string, unknown> = {}): Record<string, unknown> {
  return envelope({
    source: 'tokenmesh.operator',
    'detail-type': 'Certificate Rotation Requested',
    ...change,
  });
}

function refusal(event: unknown): unknown {
  try {
    return parseRenewalEvent(event);
  } catch (error) {
    return error;
  }
}

describe('an event of EventBridge', () => {
  it.each([
    [
      'ACM Certificate Approaching Expiration',
      { DaysToExpiry: 31, CommonName: 'order.tokenmesh.internal' },
      { kind: 'approaching-expiration', daysToExpiry: 31 },
    ],
    [
      'ACM Certificate Available',
      { Action: 'RENEWAL', CertificateType: 'PRIVATE', DaysToExpiry: 395 },
      { kind: 'available', action: 'RENEWAL' },
    ],
    [
      'ACM Certificate Renewal Action Required',
      { RenewalStatusReason: 'PCA_ACCESS_DENIED', DaysToExpiry: 30 },
      { kind: 'renewal-action-required', daysToExpiry: 30, reason: 'PCA_ACCESS_DENIED' },
    ],
    ['ACM Certificate Expired', { CertificateType: 'PRIVATE' }, { kind: 'expired' }],
  ])('%s is read', (detailType, detail, event) => {
    expect(parseRenewalEvent(envelope({ 'detail-type': detailType, detail }))).toEqual({
      event,
      certificateArns: [ARN],
    });
  });

  it.each(['aws.events', 'aws.scheduler'])('of the schedule of %s means every certificate', (source) => {
    const scheduled = envelope({
      source,
      'detail-type': 'Scheduled Event',
      resources: ['arn:aws:events:us-east-1:123456789012:rule/daily'],
    });
    expect(parseRenewalEvent(scheduled)).toEqual({ event: { kind: 'reconcile' }, certificateArns: 'all' });
  });

  it('of an operator names one certificate or several, each once', () => {
    const named = rotation({ detail: { certificateArn: ARN, certificateArns: [OTHER_ARN, ARN] } });
    expect(parseRenewalEvent(named)).toEqual({
      event: { kind: 'rotation-requested', requestedAt: new Date('2026-03-01T12:00:00Z') },
      certificateArns: [ARN, OTHER_ARN],
    });
  });

  it('of an operator may name its certificate in the detail alone, and the serial it has in mind', () => {
    const named = rotation({
      resources: undefined,
      detail: { certificateArn: OTHER_ARN, expectedSerial: '0A:1B' },
    });
    expect(parseRenewalEvent(named)).toMatchObject({
      event: { expectedSerial: 'a1b' },
      certificateArns: [OTHER_ARN],
    });
  });
});

describe('what is no event of ours', () => {
  it.each([
    ['nothing', undefined, 'event: expected an object'],
    ['a list', [], 'event: expected an object'],
    ['no detail-type', envelope({}), 'event.detail-type'],
    ['an unknown detail-type', envelope({ 'detail-type': 'ACM Certificate Revoked' }), 'event.detail-type'],
    ['a name of every object', envelope({ 'detail-type': 'constructor' }), 'event.detail-type'],
    ['another source', rotation({ source: 'aws.acm' }), 'event.source: expected "tokenmesh.operator"'],
    ['a forged source', envelope({ 'detail-type': 'ACM Certificate Expired', source: 'x' }), 'event.source'],
    ['no certificate', rotation({ resources: [] }), 'event.resources: expected at least one'],
    ['resources that are no list', rotation({ resources: ARN }), 'event.resources: expected a list'],
    ['an ARN of another service', rotation({ resources: [ARN, 'arn:aws:s3:::x'] }), 'event.resources[1]'],
    ['an ARN that is none', rotation({ detail: { certificateArn: 7 } }), 'event.detail.certificateArn'],
    ['a serial that is none', rotation({ detail: { expectedSerial: 'xyz' } }), 'event.detail.expectedSerial'],
    ['a time that is none', rotation({ time: 'yesterday' }), 'event.time'],
    ['a detail that is no object', rotation({ detail: 'x' }), 'event.detail: expected an object'],
    [
      'one serial for several certificates',
      rotation({ detail: { certificateArn: OTHER_ARN, expectedSerial: 'a1' } }),
      'event.detail.expectedSerial: expected with one certificate only',
    ],
    [
      'days that are no number',
      envelope({ 'detail-type': 'ACM Certificate Approaching Expiration', detail: { DaysToExpiry: '31' } }),
      'event.detail.DaysToExpiry',
    ],
    [
      'an action that is no word',
      envelope({ 'detail-type': 'ACM Certificate Available', detail: {} }),
      'event.detail.Action',
    ],
  ])('refuses %s', (_title, event, expected) => {
    expect(refusal(event)).toMatchObject({
      code: 'ERR_EVENT_INVALID',
      message: expect.stringContaining(expected),
      remedy: expect.any(String),
    });
  });

  it('refuses with every problem at once, and quotes no value', () => {
    const said = inspect(
      refusal(
        rotation({
          source: 'aws.s3',
          time: 1,
          resources: ['4111111111111111'],
          detail: { expectedSerial: '!' },
        }),
      ),
    );
    for (const path of ['event.source', 'event.time', 'event.resources[0]', 'event.detail.expectedSerial']) {
      expect(said).toContain(path);
    }
    expect(said).not.toMatch(/4111|aws\.s3/);
  });
});
