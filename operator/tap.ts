/**
 * `mesh tap <node>`: the requests of a node as they come, without anything that they carry.
 *
 * @module
 */

import { once } from 'node:events';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Mesh } from '../mesh/definition.ts';
import { createDynamodbAuditReader } from '../sidecar/tokenizer/adapters/dynamodb-audit-reader.ts';
import type { AuditReader } from '../sidecar/tokenizer/core/audit/ports.ts';
import { emulatorClients } from './aws-clients.ts';
import { countOf } from './counts.ts';
import { untilInterrupted } from './interrupted.ts';
import { nodeState, type RunState } from './run-state.ts';
import type { SeenRequest } from './tap/seen-request.ts';
import { tapNode, type TapFilter } from './tap/tap-node.ts';

export interface TapCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

interface TapOptions extends TapFilter {
  readonly json?: boolean;
  readonly number?: number;
  readonly fromStart?: boolean;
}

/** The one whose decisions are recorded. */
const RECORDING_NODE = 'tokenizer';

export function addTapCommand(program: Command, { mesh, runningMesh, print }: TapCommandParts): void {
  program
    .command('tap')
    .description('show the requests of a node as they come, without their values, until Ctrl-C')
    .argument('<node>', 'the node, such as tokenizer')
    .addOption(new Option('--direction <direction>', 'one alone').choices(['inbound', 'outbound']))
    .option('--peer <peer>', 'from this node, or to this service, alone; outside for callers from outside')
    .option('--operation <name>', 'one operation of the definition alone, such as tokens.create')
    .option('--status <status>', 'a status alone, such as 403 or 4xx', statusOf)
    .option('--all', 'also what cert agents ask each other')
    .option('--from-start', 'what was seen before, too')
    .option('-n, --number <count>', 'end after so many', countOf)
    .option('--json', 'print one JSON document a line')
    .addHelpText('after', ON_AWS)
    .action(async (name: string, options: TapOptions) => {
      const state = runningMesh();
      const node = nodeState(state, name);
      const interrupted = untilInterrupted();
      const { signal } = interrupted;
      // Whoever read it has gone, as `head` does.
      process.stdout.on('error', () => interrupted.abort());
      const parts = { mesh, node, ...(name === RECORDING_NODE ? { audit: auditOf(state) } : {}) };
      const follow = {
        signal,
        fromStart: options.fromStart === true,
        onOpen: () => void process.stderr.write(`watching ${name}, until Ctrl-C ...\n`),
      };
      let left = options.number ?? Number.POSITIVE_INFINITY;
      for await (const requests of tapNode(parts, options, follow)) {
        const shown = requests.slice(0, left);
        print(shown.map((each) => (options.json === true ? JSON.stringify(each) : tapLine(each))).join('\n'));
        if (process.stdout.writableNeedDrain)
          await once(process.stdout, 'drain', { signal }).catch(() => undefined);
        left -= shown.length;
        if (left <= 0) return;
      }
    });
}

const ON_AWS = `
It reads the access log of the node's Envoy, which names routes and never paths. On AWS that log is in
the log group of the task; nothing collects it for this command there.`;

/** One request on one line: when, whence or whither, what, how it ended, who decided. */
export function tapLine(request: SeenRequest): string {
  const { at, direction, peer, operation, status, durationMs, flags, mesh, policy } = request;
  const what = operation === undefined ? '-' : `${operation.method} ${operation.path}`;
  const decisions = [
    ...(mesh === undefined ? [] : [`mesh ${mesh.verdict}: ${mesh.rule}`]),
    ...(policy === undefined ? [] : [`policy ${policy.outcome}: ${policy.ids.join(' ') || '-'}`]),
    ...(flags === undefined ? [] : [`flags ${flags}`]),
  ];
  return [
    at.slice(11, 23),
    `${direction === 'inbound' ? '<-' : '->'} ${peer.padEnd(10)}`,
    what.padEnd(34),
    status,
    `${durationMs} ms`.padStart(8),
    decisions.join('  '),
  ]
    .join('  ')
    .trimEnd();
}

function auditOf(state: RunState): AuditReader {
  return createDynamodbAuditReader({
    client: emulatorClients(state.aws.endpointUrl, state.aws.region).dynamodb,
    auditTableName: state.tables.audit,
    tokensTableName: state.tables.tokens,
  });
}

function statusOf(text: string): string {
  if (/^[1-5](?:xx|\d\d)$/.test(text)) return text;
  throw new InvalidArgumentError('expected a status such as 403 or 4xx');
}
