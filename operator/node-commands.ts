/**
 * `mesh status`, `mesh rotate` and `mesh revoke`: the nodes of a run and their certificates.
 *
 * @module
 */

import { Option, type Command } from 'commander';
import { withoutDigits } from '../errors/error.ts';
import type { CertificateRole, Mesh } from '../mesh/definition.ts';
import { CERTIFICATE_ROLES, certificateRolesOf } from '../mesh/identity.ts';
import { createQuietLogger } from '../runtime/log.ts';
import { emulatorClients, type AwsClients } from './aws-clients.ts';
import { writeIdentityFiles } from './identities.ts';
import { revocationReport, rotationReport, statusReport } from './report.ts';
import { revokeCertificate } from './revoke.ts';
import { rotateCertificate } from './rotate.ts';
import { nodeState, type RunState } from './run-state.ts';
import { meshStatus } from './status.ts';

export interface NodeCommandParts {
  readonly mesh: Mesh;
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

export function addStatusCommand(program: Command, { mesh, runningMesh, print }: NodeCommandParts): void {
  program
    .command('status')
    .description('what runs, where it listens, and the PEM files of the sample identities')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const state = runningMesh();
      await refreshIdentityFiles(mesh, state, clientsOf(state));
      const status = await meshStatus(state, mesh);
      print(options.json === true ? JSON.stringify(status, null, 2) : statusReport(status));
    });
}

export function addRotateCommand(program: Command, { mesh, runningMesh, print }: NodeCommandParts): void {
  program
    .command('rotate')
    .description("renew a node's certificates, or everybody's, and wait until new connections show them")
    .argument('[node]', 'the node or function, such as tokenizer')
    .option(
      '--all',
      'every node that does not renew by itself, and every function, one after the other; with --role, one hierarchy',
    )
    .addOption(
      new Option('--role <role>', 'one role alone; both unless given').choices([...CERTIFICATE_ROLES]),
    )
    .action(async (node: string | undefined, options: { all?: boolean; role?: CertificateRole }) => {
      if ((node === undefined) !== (options.all === true)) program.error('error: expected a node, or --all');
      const state = runningMesh();
      const renewable = state.nodes.filter(({ certificateSource }) => certificateSource === 'acm-export');
      const all = [...renewable.map(({ name }) => name), ...Object.keys(mesh.functions)];
      const names = node === undefined ? all : [knownMember(mesh, state, node)];
      const parts = { mesh, state, aws: clientsOf(state), logger: createQuietLogger('operator') };
      await refreshIdentityFiles(mesh, state, parts.aws);
      // The server's first: the client's is proven by a connection to it, which a revoked server's would fail.
      const wishes = names.flatMap((each) =>
        rolesOf(mesh, each, options.role)
          .toReversed()
          .map((role) => [each, role] as const),
      );
      if (wishes.length === 0) program.error(`error: ${node} has a client certificate alone`);
      for (const [name, role] of wishes) {
        process.stderr.write(`rotating ${name} ${role} ...\n`);
        print(rotationReport(await rotateCertificate(parts, name, role), name in mesh.functions));
      }
    });
}

export function addRevokeCommand(program: Command, { mesh, runningMesh, print }: NodeCommandParts): void {
  program
    .command('revoke')
    .description('take a node or a function out by its certificates, until they are rotated')
    .argument('<node>', 'the node or function, such as order')
    .addOption(
      new Option('--role <role>', 'one role alone; both unless given').choices([...CERTIFICATE_ROLES]),
    )
    .action(async (node: string, options: { role?: CertificateRole }) => {
      const state = runningMesh();
      const roles = rolesOf(mesh, knownMember(mesh, state, node), options.role);
      if (roles.length === 0) program.error(`error: ${node} has a client certificate alone`);
      const parts = { mesh, state, aws: clientsOf(state) };
      await refreshIdentityFiles(mesh, state, parts.aws);
      for (const role of roles) print(revocationReport(await revokeCertificate(parts, node, role)));
      print(`back with: npm run mesh -- rotate ${node}`);
    });
}

/** @throws {TokenmeshError} `ERR_NODE_UNKNOWN` */
function knownMember(mesh: Mesh, state: RunState, name: string): string {
  return name in mesh.functions ? name : nodeState(state, name).name;
}

function rolesOf(mesh: Mesh, name: string, wanted: CertificateRole | undefined): CertificateRole[] {
  return certificateRolesOf(mesh, name).filter((role) => wanted === undefined || role === wanted);
}

export function clientsOf(state: RunState): AwsClients {
  return emulatorClients(state.aws.endpointUrl, state.aws.region);
}

/** Writes the PEM files of the sample identities as they are now; what is wrong with one is a warning. */
export async function refreshIdentityFiles(mesh: Mesh, state: RunState, clients: AwsClients): Promise<void> {
  const problems = await writeIdentityFiles(state, mesh.name, clients.secretsManager);
  for (const problem of problems) process.stderr.write(`warning: ${withoutDigits(problem)}\n`);
}
