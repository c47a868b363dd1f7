#!/usr/bin/env node
/**
 * The operator's command: `npm run mesh -- <verb>`.
 *
 * Exit code 0: all held. 1: something did not hold, or nothing is running. 2: wrong use.
 *
 * @module
 */

import { basename } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { describeError, TokenmeshError, withoutDigits } from '../errors/error.ts';
import type { CertificateRole } from '../mesh/definition.ts';
import { CERTIFICATE_ROLES } from '../mesh/identity.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { createQuietLogger } from '../runtime/log.ts';
import { addAuditCommand } from './audit.ts';
import { emulatorClients } from './aws-clients.ts';
import { addCaCommand } from './ca/command.ts';
import { writeIdentityFiles } from './identities.ts';
import { addDashboardCommand } from './dashboard.ts';
import { addEdgesCommand } from './edges.ts';
import { addEventsCommand } from './events.ts';
import { addExplainCommand } from './explain.ts';
import { addFingerprintsCommand } from './fingerprints.ts';
import { addEdgeCommand } from './edge.ts';
import { addHoneyCommand } from './honey.ts';
import { addKeyVersionsCommand } from './key-versions.ts';
import { addKeysCommands } from './keys.ts';
import { addLoadCommand } from './load.ts';
import { addLoginCommand } from './login.ts';
import { addMetricsCommand } from './metrics-command.ts';
import { addPolicyCommand } from './policy.ts';
import { revocationReport, rotationReport, statusReport } from './report.ts';
import { revokeCertificate } from './revoke.ts';
import { rotateCertificate } from './rotate.ts';
import { nodeState, readRunState, runStateFile, writeRunState, type RunState } from './run-state.ts';
import { addScanCommand } from './scan.ts';
import { meshStatus } from './status.ts';
import { addTapCommand } from './tap.ts';
import { addTextCommand } from './text.ts';
import { callTokenizer, readStandardInput } from './vault-call.ts';
import { addVerifyNodeCommand } from './verify-node.ts';
import { addVerifyCommand } from './verify-command.ts';

const EXIT_NOT_HELD = 1;
const EXIT_WRONG_USE = 2;

/** What was asked cannot be done by anybody, whatever runs. */
const WRONG_USE: ReadonlySet<string> = new Set([
  'ERR_NODE_UNKNOWN',
  'ERR_EDGE_UNKNOWN',
  'ERR_KEY_OWNER_NAME',
  'ERR_SHRED_UNCONFIRMED',
  'ERR_REVOKE_UNCONFIRMED',
  'ERR_CHECK_UNKNOWN',
  'ERR_KEY_VERSION_ACTIVE',
  'ERR_KEY_MATERIAL_LENGTH',
  'ERR_KMS_KEY_UNNAMED',
  'ERR_MATERIAL_DELETION_UNCONFIRMED',
  'ERR_MATERIAL_EXPIRY',
  'ERR_EDGE_SETTINGS',
  'ERR_COLUMNS_UNCLEAR',
  'ERR_FILE_UNREADABLE',
]);

const mesh = tokenizationMesh;
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const runningMesh = (): RunState => readRunState(runStateFile(process.env));

const program = new Command(basename(process.argv[1] ?? '') === 'tokenmesh' ? 'tokenmesh' : 'mesh')
  .description('Looks at a running mesh, proves it, and rotates and revokes its certificates.')
  .exitOverride()
  // Commander quotes what it does not understand, which may be a value that was meant for standard input.
  .configureOutput({ outputError: (text, write) => write(withoutDigits(text)) })
  .configureHelp({ sortSubcommands: true })
  .showHelpAfterError('(use --help for what is expected)');

program
  .command('status')
  .description('what runs, where it listens, and the PEM files of the sample identities')
  .option('--json', 'print one JSON document')
  .action(async (options: { json?: boolean }) => {
    const state = runningMesh();
    await refreshIdentityFiles(state, clientsOf(state));
    const status = await meshStatus(state, mesh);
    print(options.json === true ? JSON.stringify(status, null, 2) : statusReport(status));
  });

addVerifyCommand(program, { mesh, runningMesh, print, refreshIdentityFiles });

program
  .command('rotate')
  .description("renew a node's certificates, or everybody's, and wait until new connections show them")
  .argument('[node]', 'the node, such as tokenizer')
  .option(
    '--all',
    'every node that does not renew by itself, one after the other; with --role, one hierarchy',
  )
  .addOption(new Option('--role <role>', 'one role alone; both unless given').choices([...CERTIFICATE_ROLES]))
  .action(async (node: string | undefined, options: { all?: boolean; role?: CertificateRole }) => {
    if ((node === undefined) !== (options.all === true)) program.error('error: expected a node, or --all');
    const state = runningMesh();
    const renewable = state.nodes.filter(({ certificateSource }) => certificateSource === 'acm-export');
    const names = node === undefined ? renewable.map(({ name }) => name) : [nodeState(state, node).name];
    // The server's first: the client's is proven by a connection to it, which a revoked server's would fail.
    const roles = options.role === undefined ? CERTIFICATE_ROLES.toReversed() : [options.role];
    const parts = { mesh, state, aws: clientsOf(state), logger: createQuietLogger('operator') };
    await refreshIdentityFiles(state, parts.aws);
    for (const [name, role] of names.flatMap((each) => roles.map((role) => [each, role] as const))) {
      process.stderr.write(`rotating ${name} ${role} ...\n`);
      print(rotationReport(await rotateCertificate(parts, name, role)));
    }
  });

program
  .command('revoke')
  .description('take a node out by its certificates, until they are rotated')
  .argument('<node>', 'the node, such as order')
  .addOption(new Option('--role <role>', 'one role alone; both unless given').choices([...CERTIFICATE_ROLES]))
  .action(async (node: string, options: { role?: CertificateRole }) => {
    const state = runningMesh();
    nodeState(state, node);
    const roles = options.role === undefined ? CERTIFICATE_ROLES : [options.role];
    const parts = { mesh, state, aws: clientsOf(state) };
    await refreshIdentityFiles(state, parts.aws);
    for (const role of roles) print(revocationReport(await revokeCertificate(parts, node, role)));
    print(`back with: npm run mesh -- rotate ${node}`);
  });

program
  .command('token')
  .description('tokenize the value on standard input, and print the token')
  .argument('<input>', '- for standard input: a value is not taken as an argument')
  .option('--class <class>', 'the class of the value', 'pan')
  .option('--as <node>', 'the identity that calls', 'order')
  .action(async (input: string, options: { class: string; as: string }) => {
    onlyStandardInput(input);
    const state = runningMesh();
    const value = await readStandardInput();
    const body = { fields: { [fieldName(options.class)]: { class: options.class, value } } };
    const answer = (await callTokenizer(state, options.as, '/v1/tokens', body)) as { token: string };
    print(answer.token);
  });

program
  .command('detokenize')
  .description('turn the token on standard input back, and print its fields as JSON')
  .argument('<input>', '- for standard input: a token is not taken as an argument')
  .option('--as <node>', 'the identity that calls', 'paybill')
  .option('--purpose <purpose>', "what the values are for; the identity's own purpose unless given")
  .action(async (input: string, options: { as: string; purpose?: string }) => {
    onlyStandardInput(input);
    const state = runningMesh();
    const token = await readStandardInput();
    const body = { token, ...(options.purpose === undefined ? {} : { purpose: options.purpose }) };
    print(JSON.stringify(await callTokenizer(state, options.as, '/v1/detokenize', body)));
  });

addEdgesCommand(program, { mesh, runningMesh, print });
addEventsCommand(program, { runningMesh, print });
addTapCommand(program, { mesh, runningMesh, print });
addExplainCommand(program, {
  mesh,
  runningMesh,
  print,
  refresh: async (state) => await refreshIdentityFiles(state, clientsOf(state)),
});
addDashboardCommand(program, { mesh, runningMesh, print });
addPolicyCommand(program, mesh, print);
addLoginCommand(program, { runningMesh, print });
addMetricsCommand(program, mesh, print);
addVerifyNodeCommand(program, mesh, print, onlyStandardInput);
addTextCommand(program, { runningMesh, print, onlyStandardInput });
addScanCommand(program);
addLoadCommand(program, { runningMesh, print });
addFingerprintsCommand(program, { runningMesh, print });
addHoneyCommand(program, { runningMesh, print, onlyStandardInput });
addKeysCommands(program, { runningMesh, print });
addKeyVersionsCommand(program, { runningMesh, print, onlyStandardInput });
addEdgeCommand(program, { runningMesh, print, onlyStandardInput });
addAuditCommand(program, { runningMesh, print, onlyStandardInput });
addCaCommand(program, {
  mesh,
  runningMesh,
  writeState: (state) => writeRunState(runStateFile(process.env), state),
  print,
});

function clientsOf(state: RunState): ReturnType<typeof emulatorClients> {
  return emulatorClients(state.aws.endpointUrl, state.aws.region);
}

async function refreshIdentityFiles(
  state: RunState,
  clients: ReturnType<typeof emulatorClients>,
): Promise<void> {
  const problems = await writeIdentityFiles(state, mesh.name, clients.secretsManager);
  for (const problem of problems) process.stderr.write(`warning: ${withoutDigits(problem)}\n`);
}

/** Commander's own message would show the argument, which may be the very value. */
function onlyStandardInput(argument: string): void {
  if (argument === '-') return;
  program.error(
    'error: expected - for standard input, since arguments can be read by others: pipe the value in',
  );
}

/** What comes from elsewhere (a socket, an SDK) says what happened, and not what to do. */
function asOurs(error: unknown): TokenmeshError {
  if (error instanceof TokenmeshError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new TokenmeshError({
    code: 'ERR_MESH_UNREACHABLE',
    message: `the running mesh could not be asked: ${reason}`,
    remedy: 'see whether every part of it runs: npm run mesh -- status',
    cause: error,
  });
}

function fieldName(fieldClass: string): string {
  return fieldClass === 'pan' ? 'number' : fieldClass;
}

// Whoever read what is printed may be gone (`| head`): the rest is for nobody, and no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_WRONG_USE;
  } else {
    process.stderr.write(`mesh: ${withoutDigits(describeError(asOurs(error)))}\n`);
    process.exitCode =
      error instanceof TokenmeshError && WRONG_USE.has(error.code) ? EXIT_WRONG_USE : EXIT_NOT_HELD;
  }
}
