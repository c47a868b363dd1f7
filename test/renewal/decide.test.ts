import { describe, expect, it } from '@jest/globals';
import { decide, RENEW_WITHIN_DAYS, type Decision, type Situation } from '../../renewal/decide.ts';
import type { RenewalEvent } from '../../renewal/event.ts';
import type { ManagedCertificate } from '../../renewal/ports.ts';

const DAY_MS = 86_400_000;
const NOT_BEFORE = new Date('2026-01-01T00:00:00Z');
const LIFE_DAYS = 395;

/** The certificate that all is about, with `daysLeft` of its 395 days left at `now`. */
const CERTIFICATE: ManagedCertificate = {
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
  status: 'ISSUED',
  serial: 'a1',
  notBefore: NOT_BEFORE,
  notAfter: after(NOT_BEFORE, LIFE_DAYS),
  owner: { mesh: 'tokenmesh', node: 'order', role: 'client' },
};
const SAME = { serial: 'a1', notAfter: after(NOT_BEFORE, LIFE_DAYS) };
const OLDER = { serial: '99', notAfter: after(NOT_BEFORE, 30) };
const NOTHING = undefined;

function after(start: Date, days: number): Date {
  return new Date(start.getTime() + days * DAY_MS);
}

function at(daysLeft: number): Date {
  return after(NOT_BEFORE, LIFE_DAYS - daysLeft);
}

function action(event: RenewalEvent, change: Partial<Situation> = {}): Decision['action'] {
  return decide({ event, certificate: CERTIFICATE, published: SAME, now: at(300), ...change }).action;
}

const RECONCILE: RenewalEvent = { kind: 'reconcile' };
const RENEWED: RenewalEvent = { kind: 'available', action: 'RENEWAL' };
const EXPIRED: RenewalEvent = { kind: 'expired' };
const approaching = (daysToExpiry?: number): RenewalEvent => ({
  kind: 'approaching-expiration',
  ...(daysToExpiry === undefined ? {} : { daysToExpiry }),
});
const actionRequired = (daysToExpiry?: number): RenewalEvent => ({
  kind: 'renewal-action-required',
  reason: 'PCA_ACCESS_DENIED',
  ...(daysToExpiry === undefined ? {} : { daysToExpiry }),
});

describe('the daily reconcile', () => {
  it.each([
    ['keeps what is young and published', 300, SAME, 'keep'],
    ['keeps a day before it is due', RENEW_WITHIN_DAYS + 1, SAME, 'keep'],
    ['renews from the day it is due', RENEW_WITHIN_DAYS, SAME, 'renew'],
    ['renews on the last day', 0.5, SAME, 'renew'],
    ['exports a successor that was missed', 300, OLDER, 'export'],
    ['exports what was never published', 300, NOTHING, 'export'],
    ['exports first even when due, and renews on the next day', 10, OLDER, 'export'],
    ['raises an alarm once it has expired', 0, SAME, 'alarm'],
    ['raises an alarm long after it has expired', -30, SAME, 'alarm'],
  ])('%s (%d days left)', (_title, daysLeft, published, expected) => {
    expect(action(RECONCILE, { now: at(daysLeft), published })).toBe(expected);
  });

  it('raises an alarm when the authority’s own renewal failed, and renews itself once it is due', () => {
    const certificate: ManagedCertificate = {
      ...CERTIFICATE,
      renewal: { status: 'FAILED', reason: 'PCA_ACCESS_DENIED' },
    };
    expect(action(RECONCILE, { certificate, now: at(58) })).toBe('alarm');
    expect(action(RECONCILE, { certificate, now: at(40) })).toBe('renew');
  });

  it('renews one that lives 30 days only in the last third of its life', () => {
    const certificate = { ...CERTIFICATE, notAfter: after(NOT_BEFORE, 30) };
    expect(action(RECONCILE, { certificate, now: after(NOT_BEFORE, 1) })).toBe('keep');
    expect(action(RECONCILE, { certificate, now: after(NOT_BEFORE, 19) })).toBe('keep');
    expect(action(RECONCILE, { certificate, now: after(NOT_BEFORE, 20) })).toBe('renew');
  });
});

describe('an event that a certificate approaches its end', () => {
  it.each([
    ['renews at the first warning', approaching(45), 45, SAME, 'renew'],
    ['renews at a later warning', approaching(7), 7, SAME, 'renew'],
    ['renews though the event took a day', approaching(44), 43, SAME, 'renew'],
    ['renews a warning earlier than ours, which the account may set', approaching(80), 80, SAME, 'renew'],
    ['keeps at the same warning after the renewal', approaching(45), 394, SAME, 'keep'],
    ['exports at the same warning when only the export is missing', approaching(45), 394, OLDER, 'export'],
    ['keeps at a warning for the predecessor, late', approaching(1), 60, SAME, 'keep'],
    ['goes by the dates when the event says no days: due', approaching(), 45, SAME, 'renew'],
    ['goes by the dates when the event says no days: not due', approaching(), 46, SAME, 'keep'],
    ['raises an alarm when it comes after the end', approaching(1), -1, SAME, 'alarm'],
  ])('%s', (_title, event, daysLeft, published, expected) => {
    expect(action(event, { now: at(daysLeft), published })).toBe(expected);
  });
});

describe('an event that a certificate is available', () => {
  it.each([
    ['exports the renewed one', RENEWED, OLDER, 'export'],
    ['keeps when it is published already', RENEWED, SAME, 'keep'],
    ['keeps at the first issuance', { kind: 'available', action: 'ISSUANCE' } as const, NOTHING, 'keep'],
    ['keeps at an import', { kind: 'available', action: 'REIMPORT' } as const, OLDER, 'keep'],
  ])('%s', (_title, event, published, expected) => {
    expect(action(event, { published })).toBe(expected);
  });
});

describe('events that ask for a person', () => {
  it.each([
    ['raises an alarm when action is required', actionRequired(30), 30, SAME, 'alarm'],
    ['raises an alarm when action is required, without days', actionRequired(), 58, SAME, 'alarm'],
    ['keeps when it was renewed since', actionRequired(30), 390, SAME, 'keep'],
    ['exports when it was renewed since and not published', actionRequired(30), 390, OLDER, 'export'],
    ['raises an alarm when it expired', EXPIRED, 0, SAME, 'alarm'],
    ['keeps at the expiry of a predecessor', EXPIRED, 390, SAME, 'keep'],
    ['exports at the expiry of a predecessor still published', EXPIRED, 390, OLDER, 'export'],
  ])('%s', (_title, event, daysLeft, published, expected) => {
    expect(action(event, { now: at(daysLeft), published })).toBe(expected);
  });
});

describe('an operator’s request', () => {
  const requestedAt = new Date('2026-03-01T12:00:00Z');
  const request = (expectedSerial?: string): RenewalEvent => ({
    kind: 'rotation-requested',
    requestedAt,
    ...(expectedSerial === undefined ? {} : { expectedSerial }),
  });
  const renewedAt = (updatedAt: Date): ManagedCertificate => ({
    ...CERTIFICATE,
    renewal: { status: 'SUCCESS', updatedAt },
  });
  const later = new Date('2026-03-01T12:00:05Z');
  const earlier = new Date('2026-02-01T00:00:00Z');

  it.each([
    ['renews', request(), CERTIFICATE, SAME, 'renew'],
    ['renews what was never published', request(), CERTIFICATE, NOTHING, 'renew'],
    ['renews what was renewed before the request', request(), renewedAt(earlier), SAME, 'renew'],
    ['keeps when it was renewed since the request', request(), renewedAt(later), SAME, 'keep'],
    ['exports when it was renewed since and not published', request(), renewedAt(later), OLDER, 'export'],
    ['renews the serial that it names', request('a1'), renewedAt(later), SAME, 'renew'],
    ['keeps when another serial is there than it names', request('99'), CERTIFICATE, SAME, 'keep'],
    ['exports when the successor is not published', request('99'), CERTIFICATE, OLDER, 'export'],
    [
      'renews when it says neither time nor serial',
      { kind: 'rotation-requested' } as const,
      renewedAt(later),
      SAME,
      'renew',
    ],
  ])('%s', (_title, event, certificate, published, expected) => {
    expect(action(event, { certificate, published })).toBe(expected);
  });
});

describe('a certificate that is not issued', () => {
  it.each([
    ['PENDING_VALIDATION', 'keep'],
    ['EXPIRED', 'alarm'],
    ['REVOKED', 'alarm'],
    ['FAILED', 'alarm'],
    ['VALIDATION_TIMED_OUT', 'alarm'],
    ['a word of tomorrow', 'alarm'],
  ])('with status %s leads to %s, whatever the event', (status, expected) => {
    const certificate = { ...CERTIFICATE, status };
    for (const event of [
      RECONCILE,
      RENEWED,
      EXPIRED,
      approaching(10),
      { kind: 'rotation-requested' } as const,
    ]) {
      expect(action(event, { certificate })).toBe(expected);
    }
  });

  it('leads to an alarm when it is issued without a serial or dates', () => {
    const { serial: _serial, ...certificate } = CERTIFICATE;
    expect(action(RECONCILE, { certificate })).toBe('alarm');
  });
});

describe('every decision', () => {
  it('carries a sentence and the facts it was made from', () => {
    const decision = decide({
      event: approaching(10),
      certificate: CERTIFICATE,
      published: OLDER,
      now: at(10),
    });
    expect(decision.sentence).not.toMatch(/\d/);
    expect(decision.facts).toMatchObject({
      event: 'approaching-expiration',
      daysToExpiry: 10,
      daysLeft: 10,
      serial: 'a1',
      publishedSerial: '99',
      status: 'ISSUED',
    });
  });

  it('that is an alarm carries a remedy', () => {
    const decision = decide({ event: EXPIRED, certificate: CERTIFICATE, published: SAME, now: at(-1) });
    expect(decision).toMatchObject({ action: 'alarm', remedy: expect.stringContaining('request') });
  });
});
