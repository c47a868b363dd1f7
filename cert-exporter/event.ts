/**
 * What starts an export: a direct invocation, `{ "certificateArn": "..." }`, or an event of ACM's from EventBridge.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';
import { isCertificateArn } from '../pki/certificate-arn.ts';

export interface ExportEvent {
  readonly certificateArn: string;
}

/** @throws {TokenmeshError} `ERR_EVENT_INVALID`, listing every problem with its path. */
export function parseExportEvent(input: unknown): ExportEvent {
  if (!isRecord(input)) throw invalid([`event: expected an object, got ${kindOf(input)}`]);
  return 'detail-type' in input ? parseAcmEvent(input) : parseInvocation(input);
}

function parseInvocation(input: Record<string, unknown>): ExportEvent {
  const problems = Object.keys(input)
    .filter((key) => key !== 'certificateArn')
    .map((key) => `event.${showKey(key)}: unknown key, expected certificateArn alone`);
  const { certificateArn } = input;
  if (isCertificateArn(certificateArn) && problems.length === 0) return { certificateArn };
  if (!isCertificateArn(certificateArn)) problems.unshift(notAnArn('event.certificateArn', certificateArn));
  throw invalid(problems);
}

function parseAcmEvent(input: Record<string, unknown>): ExportEvent {
  const problems: string[] = [];
  if (input['source'] !== 'aws.acm') {
    problems.push(`event.source: expected "aws.acm", got ${kindOf(input['source'])}`);
  }
  const resources: unknown = input['resources'];
  const certificateArn: unknown = Array.isArray(resources) ? resources[0] : undefined;
  if (isCertificateArn(certificateArn) && problems.length === 0) return { certificateArn };
  if (!isCertificateArn(certificateArn)) problems.push(notAnArn('event.resources[0]', certificateArn));
  throw invalid(problems);
}

/** The shape of a value that is not what it has to be: never the value, which may be anything. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return `a value of type ${typeof value}`;
}

export function notAnArn(path: string, value: unknown): string {
  return `${path}: expected the ARN of an ACM certificate, got ${kindOf(value)}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function showKey(key: string): string {
  return /^[A-Za-z][\w-]{0,39}$/.test(key) ? key : '[key]';
}

function invalid(problems: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EVENT_INVALID',
    message: `event is not valid: ${problems.join('; ')}`,
    remedy: 'send { "certificateArn": "<ARN>" }, or let EventBridge send an event of source aws.acm',
  });
}
