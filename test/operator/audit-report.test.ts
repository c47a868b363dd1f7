import { describe, expect, it } from '@jest/globals';
import { auditReport, recordsReport } from '../../operator/audit-report.ts';
import type { AuditVerification } from '../../sidecar/tokenizer/core/audit/verify-audit.ts';

const NOW = new Date('2026-03-04T05:06:07.000Z');
const WHOLE: AuditVerification = {
  ok: true,
  writers: [{ writer: 'abc', segments: 2, records: 5, unsealedSegments: 1, problems: [] }],
  segments: 2,
  records: 5,
  unsealedSegments: 1,
  lastSealedAt: '2026-03-04T05:06:03.000Z',
  problems: [],
};

describe('the report of the verification', () => {
  it('counts what is whole, and tells how old its seal is', () => {
    expect(auditReport(WHOLE, NOW)).toBe(
      'writers 1, segments 2, records 5, not yet sealed 1, last seal 4 s ago\nevery chain is whole; the rows of the vault were not looked at',
    );
    const rows = { checked: 7, unrecorded: 1, unsettled: 0, problems: [] };
    expect(
      auditReport({ ...WHOLE, rows }, NOW)
        .split('\n')
        .slice(1),
    ).toEqual([
      'rows 7, of which the audit says nothing 1, not settled 0',
      'every chain is whole, and every row is what the audit says',
    ]);
  });

  it('names writer and place of every problem, and what to do', () => {
    const problems = [
      { kind: 'segment-missing', writer: 'abc', sequence: 7, found: 'no segment 7' },
      { kind: 'seal-forged', writer: 'abc', seal: 2, found: 'a seal whose MAC KMS did not make' },
      { kind: 'row-foreign', writer: '\u001b[2Jx', found: 'a row' },
    ] as const;
    const lines = auditReport({ ...WHOLE, ok: false, problems }, NOW).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'FAILED  segment-missing  writer abc segment 7: found no segment 7',
      'FAILED  seal-forged  writer abc seal 2: found a seal whose MAC KMS did not make',
      'FAILED  row-foreign  writer ?[2Jx: found a row',
    ]);
    expect(lines.at(-1)).toMatch(/3 problems: .*compare them with a backup/);
  });

  it('names the token of every row that is not what it should be', () => {
    const problems = [{ kind: 'row-rolled-back', reference: 'abcdef', found: 'an old row' }] as const;
    const rows = { checked: 7, unrecorded: 0, unsettled: 0, problems };
    const lines = auditReport({ ...WHOLE, ok: false, rows }, NOW).split('\n');
    expect(lines[0]).toBe('FAILED  row-rolled-back  token abcdef: found an old row');
    expect(lines.at(-1)).toMatch(/^1 problems: /);
  });

  it('does not take silence for proof', () => {
    const { lastSealedAt: _, ...nothing } = WHOLE;
    expect(auditReport({ ...nothing, ok: false, writers: [] }, NOW)).toMatch(
      /last seal never\nFAILED {2}there is no audit/,
    );
  });
});

describe('the report of records', () => {
  it('shows what each says, and nothing that a terminal would obey', () => {
    const report = recordsReport([
      {
        writer: 'abc',
        sequence: 1,
        record: {
          at: '2026-03-04T05:06:07.008Z',
          identity: 'paybill.tokenmesh.internal',
          tenant: 'shop',
          operation: 'detokenize',
          purpose: 'pay\u001b[31mment',
          outcome: 'ok',
          token: 'abcdefghijklmnop',
          fields: [{ class: 'pan', form: 'plain' }, { class: 'name' }],
        },
      },
    ]);
    expect(report).toContain('paybill.tokenmesh.internal');
    expect(report).toContain('pan plain, name');
    expect(report).toContain('abcdefghijkl ');
    expect(report).toContain('pay?[31mment');
    expect(report).not.toContain('\u001b');
    expect(report).toMatch(/records: 1$/);
  });
});
