/**
 * `mesh ca`: what CAs a hierarchy has, and their rollover.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { TokenmeshError } from '../../errors/error.ts';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { HIERARCHIES } from '../../mesh/identity.ts';
import { createQuietLogger } from '../../runtime/log.ts';
import { emulatorClients, type AwsClients } from '../aws-clients.ts';
import { servingFacts, trustFacts } from '../facts/rollover.ts';
import { writeIdentityFiles } from '../identities.ts';
import type { RunState } from '../run-state.ts';
import { privateAuthorities } from './authorities.ts';
import { followRollover } from './local-files.ts';
import { secretRevocationLists } from './listing-authorities.ts';
import { acmNodeCertificates } from './node-certificates.ts';
import type { RolloverPorts, RolloverStep } from './ports.ts';
import { authorityStatus, authorityStatusReport, rolloverReport } from './report.ts';
import { rollOver } from './rollover.ts';
import { secretRecords } from './rollover-record.ts';
import { secretTrustBundles } from './trust-bundles.ts';

/** Where a person may want to stop: when the new CA is trusted, and when everything is issued from it. */
const STOPS: readonly RolloverStep[] = ['create', 'trust', 'issue'];

const WAIT_SECONDS = 60;

export interface CaCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly writeState: (state: RunState) => void;
  readonly print: (text: string) => void;
}

interface RolloverCommandOptions {
  readonly until?: RolloverStep;
  readonly wait: number;
  readonly json?: boolean;
}

export function addCaCommand(program: Command, parts: CaCommandParts): void {
  const { mesh, runningMesh, print } = parts;
  const ca = program.command('ca').description('the CAs of the mesh: what there is, and their rollover');
  ca.command('status')
    .description('every CA of the mesh, and how far a rollover is')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const { acmPca, secretsManager } = clientsOf(runningMesh());
      const status = await authorityStatus({
        acmPca,
        records: secretRecords(secretsManager, mesh.name),
        mesh,
      });
      print(options.json === true ? JSON.stringify(status, null, 2) : authorityStatusReport(status));
    });
  ca.command('rollover')
    .description('put a new CA in the place of the one a hierarchy has, or go on with what was begun')
    .addArgument(new Argument('<hierarchy>', 'whose CA').choices(HIERARCHIES))
    .addOption(new Option('--until <step>', 'stop after this step; running it again goes on').choices(STOPS))
    .option('--wait <seconds>', 'how long to wait, at each step, for the last node', seconds, WAIT_SECONDS)
    .option('--json', 'print one JSON document')
    .action(async (hierarchy: Hierarchy, options: RolloverCommandOptions) => {
      const state = runningMesh();
      refuseShortLived(state);
      const clients = clientsOf(state);
      await writeIdentityFiles(state, mesh.name, clients.secretsManager);
      const result = await rollOver(rolloverPorts(parts, clients, sayLine()), hierarchy, {
        waitMs: options.wait * 1000,
        ...(options.until === undefined ? {} : { until: options.until }),
      });
      print(options.json === true ? JSON.stringify(shown(result), null, 2) : rolloverReport(result));
    });
}

/** Everything of a rollover, wired for a run on this machine. */
export function rolloverPorts(
  { mesh, runningMesh, writeState }: Omit<CaCommandParts, 'print'>,
  aws: AwsClients,
  progress: (line: string) => void,
): RolloverPorts {
  const { secretsManager } = aws;
  const look = { mesh, state: runningMesh(), secretsManager };
  const logger = createQuietLogger('operator');
  return {
    records: secretRecords(secretsManager, mesh.name),
    authorities: privateAuthorities(aws, mesh),
    trust: secretTrustBundles(secretsManager, mesh.name),
    revocation: secretRevocationLists({ ...aws, meshName: mesh.name, clock: () => new Date() }),
    certificates: acmNodeCertificates({ ...aws, meshName: mesh.name, clock: () => new Date(), logger }),
    nodes: {
      trusts: async (hierarchy, known) => await trustFacts(look, hierarchy, known),
      serves: async (role, generation) => {
        await writeIdentityFiles(look.state, mesh.name, secretsManager);
        return await servingFacts(look, role, generation.rootCertificate);
      },
    },
    afterStep: async (rollover) =>
      await followRollover({ mesh, aws, state: runningMesh, write: writeState }, rollover),
    runId: randomUUID(),
    clock: () => new Date(),
    sleep,
    progress,
  };
}

/** Its task names the CA that signs for it, which stands under the old root: no trust bundle changes that. */
function refuseShortLived({ nodes }: RunState): void {
  const names = nodes.filter((each) => each.certificateSource === 'short-lived').map(({ name }) => name);
  if (names.length === 0) return;
  throw new TokenmeshError({
    code: 'ERR_ROLLOVER_SHORT_LIVED',
    message: `no CA is rolled over: expected nodes whose certificates ACM issues, got short-lived ones of ${names.join(', ')}`,
    remedy:
      'take certificateSource of these nodes out of the definition and deploy, roll over, then put it back with a short-lived CA under the new root',
  });
}

/** The same line is said once. */
function sayLine(): (line: string) => void {
  let last = '';
  return (line) => {
    if (line !== last) process.stderr.write(`  ${line}\n`);
    last = line;
  };
}

function shown({ rollover, steps }: Awaited<ReturnType<typeof rollOver>>): unknown {
  const { hierarchy, step, from, to, startedAt, updatedAt } = rollover;
  return { hierarchy, step, from, to: to ?? null, startedAt, updatedAt, steps };
}

function clientsOf(state: RunState): AwsClients {
  return emulatorClients(state.aws.endpointUrl, state.aws.region);
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0');
}
