import { latestRecords } from '../../sidecar/tokenizer/core/audit/find-records.ts';
import type { AuditReader } from '../../sidecar/tokenizer/core/audit/ports.ts';
import type { SeenRequest } from './seen-request.ts';

/** Enough for what came between two looks; what is older is not searched for. */
const RECORDS_LOOKED_AT = 500;

/**
 * Adds to each request what the audit says of it: its outcome, and the policies that decided. The audit
 * is written before the answer goes out, so the record of a request that is seen is there.
 */
export async function withDecisions(
  reader: AuditReader,
  requests: readonly SeenRequest[],
): Promise<SeenRequest[]> {
  const asked = new Set(requests.flatMap(({ requestId }) => requestId ?? []));
  const found = new Map<string, { outcome: string; ids: Set<string> }>();
  for (const { record } of await latestRecords(reader, RECORDS_LOOKED_AT)) {
    const { requestId, outcome, policies } = record;
    if (requestId === undefined || !asked.has(requestId)) continue;
    const known = found.get(requestId);
    // Of several items the one that went wrong is told.
    const isTold = known === undefined || known.outcome === 'ok' || known.outcome === 'begun';
    found.set(requestId, {
      outcome: isTold ? outcome : known.outcome,
      ids: new Set([...(known?.ids ?? []), ...(policies ?? [])]),
    });
  }
  return requests.map((request) => {
    const decision = found.get(request.requestId ?? '');
    if (decision === undefined) return request;
    return { ...request, policy: { outcome: decision.outcome, ids: [...decision.ids] } };
  });
}
