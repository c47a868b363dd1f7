/**
 * What starts a renewal run, read from EventBridge's envelope.
 *
 * Five kinds come from ACM or from an operator and name certificates; the
 * schedule names none and means all of them. ACM's events are best effort: they
 * come twice, late, out of order, or not at all.
 *
 * Source: AWS Certificate Manager User Guide, "Amazon EventBridge support for ACM".
 *
 * @module
 */

import { isRecord, kindOf, notAnArn } from '../cert-exporter/event.ts';
import { TokenmeshError } from '../errors/error.ts';
import { isCertificateArn } from '../pki/certificate-arn.ts';
import { normalizeSerial } from '../pki/secret.ts';

export const ROTATION_REQUESTED = {
  source: 'tokenmesh.operator',
  detailType: 'Certificate Rotation Requested',
} as const;

export type RenewalEvent =
  /** ACM warns daily from day 45 before the end, or later where the account says so. */
  | { readonly kind: 'approaching-expiration'; readonly daysToExpiry?: number }
  /** `action` is RENEWAL when ACM renewed it, by itself or because we asked. */
  | { readonly kind: 'available'; readonly action: string }
  | { readonly kind: 'renewal-action-required'; readonly daysToExpiry?: number; readonly reason?: string }
  | { readonly kind: 'expired' }
  /**
   * An operator wants a successor now: of the certificate with `expectedSerial`, or else of the one that
   * was there at `requestedAt`. EventBridge gives every event a time; with neither, each event renews.
   */
  | { readonly kind: 'rotation-requested'; readonly requestedAt?: Date; readonly expectedSerial?: string }
  /** The schedule: events may have been lost. */
  | { readonly kind: 'reconcile' };

export interface ReceivedEvent {
  readonly event: RenewalEvent;
  /** The certificates the event names, each once; `all` of the mesh for the schedule. */
  readonly certificateArns: readonly string[] | 'all';
}

/** @throws {TokenmeshError} `ERR_EVENT_INVALID`, listing every problem with its path. */
export function parseRenewalEvent(input: unknown): ReceivedEvent {
  if (!isRecord(input)) throw invalid([`event: expected an object, got ${kindOf(input)}`]);
  const detailType: unknown = input['detail-type'];
  const kind = typeof detailType === 'string' ? KINDS.get(detailType) : undefined;
  if (kind === undefined) {
    const expected = [...KINDS.keys()].join('", "');
    throw invalid([`event.detail-type: expected one of "${expected}", got ${kindOf(detailType)}`]);
  }
  const problems: string[] = [];
  if (!kind.sources.some((source) => source === input['source'])) {
    problems.push(`event.source: expected "${kind.sources.join('" or "')}", got ${kindOf(input['source'])}`);
  }
  if (input['detail'] !== undefined && !isRecord(input['detail'])) {
    problems.push(`event.detail: expected an object, got ${kindOf(input['detail'])}`);
  }
  const detail = isRecord(input['detail']) ? input['detail'] : {};
  const event = kind.read(detail, input, problems);
  const certificateArns = kind.namesNone === true ? 'all' : readArns(detail, input, problems);
  if (
    event.kind === 'rotation-requested' &&
    event.expectedSerial !== undefined &&
    certificateArns.length > 1
  ) {
    problems.push('event.detail.expectedSerial: expected with one certificate only, got several');
  }
  if (problems.length > 0) throw invalid(problems);
  return { event, certificateArns };
}

interface Kind {
  readonly sources: readonly string[];
  readonly namesNone?: boolean;
  /** Adds to `problems` what it cannot read; the event is not used then. */
  readonly read: (
    detail: Record<string, unknown>,
    input: Record<string, unknown>,
    problems: string[],
  ) => RenewalEvent;
}

const ACM = ['aws.acm'];

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>(
  Object.entries<Kind>({
    'ACM Certificate Approaching Expiration': {
      sources: ACM,
      read: (detail, _input, problems) => ({
        kind: 'approaching-expiration',
        ...readDaysToExpiry(detail, problems),
      }),
    },
    'ACM Certificate Available': {
      sources: ACM,
      read: (detail, _input, problems) => ({ kind: 'available', action: readAction(detail, problems) }),
    },
    'ACM Certificate Renewal Action Required': {
      sources: ACM,
      read: (detail, _input, problems) => ({
        kind: 'renewal-action-required',
        ...readDaysToExpiry(detail, problems),
        ...(typeof detail['RenewalStatusReason'] === 'string'
          ? { reason: detail['RenewalStatusReason'] }
          : {}),
      }),
    },
    'ACM Certificate Expired': { sources: ACM, read: () => ({ kind: 'expired' }) },
    [ROTATION_REQUESTED.detailType]: { sources: [ROTATION_REQUESTED.source], read: readRotation },
    'Scheduled Event': {
      sources: ['aws.events', 'aws.scheduler'],
      namesNone: true,
      read: () => ({ kind: 'reconcile' }),
    },
  }),
);

function readDaysToExpiry(detail: Record<string, unknown>, problems: string[]): { daysToExpiry?: number } {
  const daysToExpiry = detail['DaysToExpiry'];
  if (daysToExpiry === undefined) return {};
  if (typeof daysToExpiry === 'number' && Number.isFinite(daysToExpiry)) return { daysToExpiry };
  problems.push(`event.detail.DaysToExpiry: expected a number, got ${kindOf(daysToExpiry)}`);
  return {};
}

function readAction(detail: Record<string, unknown>, problems: string[]): string {
  const action = detail['Action'];
  if (typeof action === 'string') return action;
  problems.push(`event.detail.Action: expected a word like RENEWAL, got ${kindOf(action)}`);
  return '';
}

function readRotation(
  detail: Record<string, unknown>,
  input: Record<string, unknown>,
  problems: string[],
): RenewalEvent {
  const requestedAt = readTime(input['time'], problems);
  const expectedSerial = readSerial(detail['expectedSerial'], problems);
  return {
    kind: 'rotation-requested',
    ...(requestedAt === undefined ? {} : { requestedAt }),
    ...(expectedSerial === undefined ? {} : { expectedSerial }),
  };
}

function readTime(time: unknown, problems: string[]): Date | undefined {
  if (time === undefined) return undefined;
  const read = new Date(typeof time === 'string' ? time : Number.NaN);
  if (!Number.isNaN(read.getTime())) return read;
  problems.push(`event.time: expected a time in ISO 8601, got ${kindOf(time)}`);
  return undefined;
}

function readSerial(serial: unknown, problems: string[]): string | undefined {
  if (serial === undefined) return undefined;
  if (typeof serial === 'string' && /^[\da-f:]+$/i.test(serial)) return normalizeSerial(serial);
  problems.push(
    `event.detail.expectedSerial: expected a serial in hexadecimal digits, got ${kindOf(serial)}`,
  );
  return undefined;
}

/** Every ARN of `resources`, `detail.certificateArn` and `detail.certificateArns`, each once. */
function readArns(
  detail: Record<string, unknown>,
  input: Record<string, unknown>,
  problems: string[],
): string[] {
  const named = [
    ...listAt('event.resources', input['resources'], problems),
    ...listAt('event.detail.certificateArns', detail['certificateArns'], problems),
    ...(detail['certificateArn'] === undefined
      ? []
      : [{ path: 'event.detail.certificateArn', value: detail['certificateArn'] }]),
  ];
  for (const { path, value } of named) {
    if (!isCertificateArn(value)) problems.push(notAnArn(path, value));
  }
  if (named.length === 0) problems.push('event.resources: expected at least one ARN of an ACM certificate');
  return [...new Set(named.map(({ value }) => value).filter(isCertificateArn))];
}

function listAt(path: string, value: unknown, problems: string[]): { path: string; value: unknown }[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => ({ path: `${path}[${index}]`, value: each }));
  }
  problems.push(`${path}: expected a list, got ${kindOf(value)}`);
  return [];
}

function invalid(problems: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EVENT_INVALID',
    message: `event is not valid: ${problems.join('; ')}`,
    remedy:
      'let EventBridge send events of ACM, of the operator or of the schedule, and no others, to this function',
  });
}
