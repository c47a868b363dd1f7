import { join } from 'node:path';
import { withoutDigits } from '../../errors/error.ts';
import type { CertificateRole, Mesh } from '../../mesh/definition.ts';
import { edgesOf } from '../../mesh/edges.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { createDynamodbAuditReader } from '../../sidecar/tokenizer/adapters/dynamodb-audit-reader.ts';
import { latestRecords, type FoundRecord } from '../../sidecar/tokenizer/core/audit/find-records.ts';
import type { AuditedField } from '../../sidecar/tokenizer/core/audit/record.ts';
import type { AuditReader } from '../../sidecar/tokenizer/core/audit/ports.ts';
import type { AwsClients } from '../aws-clients.ts';
import { withRates, type LiveEdge } from '../edges.ts';
import { sidecarStatus, type SidecarStatus } from '../facts/agent.ts';
import { edgeTraffic, type EdgeTraffic } from '../facts/edge-traffic.ts';
import { servedCertificates, type ServedCertificate } from '../facts/envoy-certificates.ts';
import { printable } from '../printable.ts';
import type { RunState } from '../run-state.ts';
import { OUTSIDE } from '../tap/seen-request.ts';
import { LogWatch } from './log-watch.ts';
import type { ShownCertificate, ShownEdge, ShownNode, ShownRecord, Snapshot } from './snapshot.ts';
import { TokenizerLoad } from './tokenizer-load.ts';

const RECORDS_SHOWN = 15;
const WRITERS_KNOWN_FOR_MS = 30_000;
const DAY_MS = 86_400_000;

export interface CollectorParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly aws: AwsClients;
}

interface NodeFacts {
  readonly name: string;
  readonly status: SidecarStatus | undefined;
  readonly served: readonly ServedCertificate[];
}

/** Asks every part of a running mesh what there is to see. */
export class Collector {
  readonly #parts: CollectorParts;
  readonly #logs: LogWatch;
  readonly #load: TokenizerLoad;
  readonly #audit: AuditReader;
  #before: { traffic: readonly EdgeTraffic[]; at: number } | undefined;

  constructor(parts: CollectorParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#audit = auditReader(parts);
    this.#logs = new LogWatch(parts, this.#audit, signal);
    const tokenizer = parts.state.nodes.find(({ name }) => name === 'tokenizer');
    this.#load = new TokenizerLoad(tokenizer?.appSocket ?? join(parts.state.directory, 'none.sock'));
  }

  /** Once the signal has come: nothing is read any more. */
  get ended(): Promise<unknown> {
    return this.#logs.ended;
  }

  async look(): Promise<Snapshot> {
    const { mesh, state } = this.#parts;
    this.#logs.begin();
    const [nodes, edges, load, records] = await Promise.all([
      Promise.all(state.nodes.map(nodeFacts)),
      this.#edges(),
      this.#load.look(),
      latestRecords(this.#audit, RECORDS_SHOWN).catch(() => undefined),
    ]);
    return {
      mesh: mesh.name,
      at: new Date().toISOString(),
      startedAt: state.startedAt,
      nodes: shownNodes(mesh, nodes),
      edges: edges.map(shownEdge),
      certificates: nodes.flatMap(shownCertificates),
      rotations: this.#logs.rotations,
      load: load.points,
      refusals: {
        counts: [...this.#logs.refusalCounts, ...load.refusals],
        recent: this.#logs.recentRefusals,
      },
      audit: (records ?? []).toReversed().map(shownRecord),
      problems: [
        ...(records === undefined ? ['the audit cannot be read'] : []),
        ...(load.isAnswering ? [] : ['the tokenizer gives no metrics']),
        ...nodes
          .filter(({ status }) => status === undefined)
          .map(({ name }) => `the sidecar of ${name} does not answer`),
      ],
    };
  }

  async #edges(): Promise<LiveEdge[]> {
    const { mesh, state } = this.#parts;
    const traffic = await edgeTraffic(mesh, state);
    const at = performance.now();
    const before = this.#before;
    this.#before = { traffic, at };
    return withRates(before?.traffic ?? [], traffic, before === undefined ? 1 : (at - before.at) / 1000);
  }
}

/** Who writes is looked for seldom: it takes a scan of the whole table. */
function auditReader({ state, aws }: CollectorParts): AuditReader {
  const reader = createDynamodbAuditReader({
    client: aws.dynamodb,
    auditTableName: state.tables.audit,
    tokensTableName: state.tables.tokens,
  });
  let known: { writers: Promise<readonly string[]>; until: number } | undefined;
  return {
    ...reader,
    async writers() {
      if (known === undefined || known.until < Date.now())
        known = { writers: reader.writers(), until: Date.now() + WRITERS_KNOWN_FOR_MS };
      return await known.writers;
    },
  };
}

async function nodeFacts({ name, agentSocket, adminUrl }: RunState['nodes'][number]): Promise<NodeFacts> {
  const [status, served] = await Promise.all([
    sidecarStatus(agentSocket),
    servedCertificates(adminUrl).catch(() => []),
  ]);
  return { name, status, served };
}

function shownNodes(mesh: Mesh, facts: readonly NodeFacts[]): ShownNode[] {
  const own = nodeNames(mesh).map((name): ShownNode => ({
    name,
    kind: name in mesh.virtualGateways ? 'gateway' : 'node',
    isReady: facts.find((each) => each.name === name)?.status?.ready === true,
  }));
  const called = edgesOf(mesh).flatMap(({ to, virtualService }) =>
    to === undefined ? [virtualService] : [],
  );
  const external = [...new Set(called)].map((name): ShownNode => ({ name, kind: 'external' }));
  return [{ name: OUTSIDE, kind: 'outside' }, ...own, ...external];
}

function shownEdge(edge: LiveEdge): ShownEdge {
  const { from, to, mode, counted, listener, requestsPerSecond, failuresPerSecond } = edge;
  return {
    from,
    to,
    mode,
    tls: counted?.tls.map((version) => version.replace('TLSv', '')).join(', ') ?? '',
    requestsPerSecond,
    isFailing: (failuresPerSecond ?? 0) > 0,
    requests: counted?.requests,
    denied: counted?.denied ?? 0,
    failed: counted?.failed ?? 0,
    handshakes: counted?.handshakes ?? 0,
    handshakesFailed: (counted?.handshakesFailed ?? 0) + (counted?.connectionsFailed ?? 0),
    noCertificate: listener?.noCertificate,
    listenerHandshakes: listener?.handshakes,
    listenerRefused: listener?.refused,
  };
}

function shownCertificates({ name, status, served }: NodeFacts): ShownCertificate[] {
  const roles: readonly CertificateRole[] = ['client', 'server'];
  return roles.map((role) => {
    const state = status?.certificates.find((each) => each.role === role);
    const ends = served.find(({ serial }) => serial === state?.serial)?.notAfter;
    return {
      node: name,
      role,
      serial: state?.serial?.slice(0, 8) ?? '',
      endsAt: ends?.toISOString(),
      daysLeft: ends === undefined ? undefined : (ends.getTime() - Date.now()) / DAY_MS,
      isServed: state?.serial !== undefined && state.servedSerial === state.serial,
      problems: (state?.problems ?? []).map(({ message }) => withoutDigits(message)),
    };
  });
}

/** Purpose and tenant are a caller's text, and have lost their digits before they were written. */
function shownRecord({ record }: FoundRecord): ShownRecord {
  return {
    at: record.at,
    identity: printable(record.identity),
    operation: printable(record.operation),
    outcome: record.honey === true ? `${record.outcome}, honey token` : printable(record.outcome),
    tenant: printable(record.tenant ?? ''),
    purpose: printable(record.purpose ?? ''),
    fields: fieldsOf(record.fields ?? []),
    policies: record.policies ?? [],
  };
}

/** `plain: pan, expiry`: the classes by the form in which they were shown. */
function fieldsOf(fields: readonly AuditedField[]): string {
  const byForm = Map.groupBy(fields, ({ form }) => form ?? '');
  return [...byForm]
    .map(([form, those]) => `${form === '' ? '' : `${form}: `}${those.map((each) => each.class).join(', ')}`)
    .join('; ');
}
