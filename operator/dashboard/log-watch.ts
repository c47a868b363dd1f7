import type { CertificateRole, Mesh } from '../../mesh/definition.ts';
import { CERTIFICATE_ROLES } from '../../mesh/identity.ts';
import type { AuditReader } from '../../sidecar/tokenizer/core/audit/ports.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { followFile } from '../tap/follow-file.ts';
import { withDecisions } from '../tap/recorded-decisions.ts';
import { seenRequest, type SeenRequest } from '../tap/seen-request.ts';
import type { RefusalCount, ShownRefusal, ShownRotation } from './snapshot.ts';

const ROTATIONS_KEPT = 200;
const REFUSALS_KEPT = 12;

export interface LogWatchParts {
  readonly mesh: Mesh;
  readonly state: RunState;
}

/** What only the logs of the sidecars tell: when certificates were swapped, and whom Envoys refused. */
export class LogWatch {
  readonly #parts: LogWatchParts;
  readonly #audit: AuditReader;
  readonly #signal: AbortSignal;
  readonly #counts = new Map<string, RefusalCount>();
  #rotations: ShownRotation[] = [];
  #recent: ShownRefusal[] = [];
  #ended: Promise<unknown> | undefined;

  constructor(parts: LogWatchParts, audit: AuditReader, signal: AbortSignal) {
    this.#parts = parts;
    this.#audit = audit;
    this.#signal = signal;
  }

  /** From the start of the run. Once begun it goes on. */
  begin(): void {
    this.#ended ??= Promise.allSettled(
      this.#parts.state.nodes.map(async (node) => {
        const lines = followFile(node.sidecarLog, { signal: this.#signal, fromStart: true });
        for await (const some of lines) await this.#take(node, some);
      }),
    );
  }

  get ended(): Promise<unknown> {
    return this.#ended ?? Promise.resolve();
  }

  get rotations(): readonly ShownRotation[] {
    return this.#rotations;
  }

  get refusalCounts(): readonly RefusalCount[] {
    return [...this.#counts.values()];
  }

  get recentRefusals(): readonly ShownRefusal[] {
    return this.#recent;
  }

  async #take(node: NodeState, lines: readonly string[]): Promise<void> {
    const refused: SeenRequest[] = [];
    for (const line of lines) {
      const request = seenRequest(this.#parts.mesh, node.name, line);
      if (request === undefined) this.#takeRotation(node.name, line);
      else if (request.direction === 'inbound' && [403, 429].includes(request.status)) refused.push(request);
    }
    if (refused.length === 0) return;
    const told =
      node.name === 'tokenizer' ? await withDecisions(this.#audit, refused).catch(() => refused) : refused;
    for (const request of told.filter(({ mesh }) => mesh?.verdict === 'denied')) this.#count(request);
    this.#recent = [...this.#recent, ...told.map(shownRefusal)]
      .toSorted((one, other) => other.at.localeCompare(one.at))
      .slice(0, REFUSALS_KEPT);
  }

  #count(request: SeenRequest): void {
    const { node, operation, reason } = shownRefusal(request);
    const key = JSON.stringify([request.peer, node, operation, reason]);
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { by: `${node}'s Envoy`, node: request.peer, operation, reason, count });
  }

  #takeRotation(node: string, line: string): void {
    const event = rotationIn(line);
    if (event === undefined) return;
    const known = this.#rotations.find(
      (each) => each.node === node && each.role === event.role && each.serial === event.serial,
    );
    if (known !== undefined) {
      const at = this.#rotations.indexOf(known);
      this.#rotations = this.#rotations.with(at, {
        ...known,
        servedAfterMs: event.afterMs ?? known.servedAfterMs,
      });
      return;
    }
    const isFirst = !this.#rotations.some((each) => each.node === node && each.role === event.role);
    const { role, serial, at, afterMs } = event;
    this.#rotations = [...this.#rotations, { at, node, role, serial, servedAfterMs: afterMs, isFirst }]
      .toSorted((one, other) => one.at.localeCompare(other.at))
      .slice(-ROTATIONS_KEPT);
  }
}

/** A line of the agent's own about a certificate that it handed over, or saw served. */
function rotationIn(
  line: string,
): { at: string; role: CertificateRole; serial: string; afterMs?: number } | undefined {
  if (!/"msg":"certificate (?:swapped in|is served)"/.test(line)) return undefined;
  const { time, role, serial, afterMs } = JSON.parse(line) as Record<string, unknown>;
  const known = CERTIFICATE_ROLES.find((each) => each === role);
  if (known === undefined || typeof time !== 'string' || typeof serial !== 'string') return undefined;
  const served = typeof afterMs === 'number' ? { afterMs } : {};
  return { at: time, role: known, serial: serial.slice(0, 8), ...served };
}

/** What Envoy refused, by the rule that did. */
const REASONS: Readonly<Record<string, string>> = {
  none: 'no rule permits it',
  'deny list': 'certificate revoked',
  token: 'token of another client',
  scope: 'token without the scope',
  rate: 'too many requests',
};

function shownRefusal({ at, node, peer, operation, status, mesh, policy }: SeenRequest): ShownRefusal {
  const byMesh = REASONS[mesh?.rule ?? ''] ?? 'refused';
  const byService = policy === undefined ? `answered ${status}` : policy.outcome;
  return {
    at,
    node,
    peer,
    operation: operation?.name ?? 'nothing of the definition',
    status,
    reason: mesh?.verdict === 'denied' ? byMesh : byService,
  };
}
