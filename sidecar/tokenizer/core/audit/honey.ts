import type { AuditEvent } from './record.ts';

/**
 * Tokens that stand for nobody, left where only a thief would find them.
 *
 * They are ordinary tokens of ordinary records: whoever uses one is answered as for any other. They are
 * known by their references alone, so that whoever reads the table cannot tell them either.
 */
export interface HoneyTokens {
  has(reference: string): boolean;
  /** Raises the alarm. Must not throw, and must not wait: the answer looks like any other. */
  onUse(event: AuditEvent, reference: string): void;
}
