import { Command } from 'commander';
import { withoutDigits } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { addAuditCommand } from './audit.ts';
import { addCaCommand } from './ca/command.ts';
import { addDashboardCommand } from './dashboard.ts';
import { addEdgeCommand } from './edge.ts';
import { addEdgesCommand } from './edges.ts';
import { addEventsCommand } from './events.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { addExplainCommand } from './explain.ts';
import { addFingerprintsCommand } from './fingerprints.ts';
import { addHoneyCommand } from './honey.ts';
import { addKeyVersionsCommand } from './key-versions.ts';
import { addKeysCommands } from './keys.ts';
import { addLoadCommand } from './load.ts';
import { addLoginCommand } from './login.ts';
import { addMetricsCommand } from './metrics-command.ts';
import {
  addRevokeCommand,
  addRotateCommand,
  addStatusCommand,
  clientsOf,
  refreshIdentityFiles,
} from './node-commands.ts';
import { addPolicyCommand } from './policy.ts';
import { addRegionOption } from './region-option.ts';
import { addRegionsCommand } from './regions.ts';
import { stateFileOf, writeRunState, type RunState } from './run-state.ts';
import { addScanCommand } from './scan.ts';
import { addTapCommand } from './tap.ts';
import { addTextCommand } from './text.ts';
import { addDetokenizeCommand, addTokenCommand } from './value-commands.ts';
import { addVerifyCommand } from './verify-command.ts';
import { addVerifyNodeCommand } from './verify-node.ts';

export interface ProgramParts {
  readonly mesh: Mesh;
  /** Where the state of the run is. */
  readonly stateFile: () => string;
  /** @param region - Of a run with several, which one. */
  readonly runningMesh: (region: string | undefined) => RunState;
  readonly print: (text: string) => void;
}

/** The operator's command with all of its own: what docs/cli.md says of it is made of this. */
export function createProgram(name: string, { mesh, stateFile, runningMesh, print }: ProgramParts): Command {
  const program = new Command(name)
    .description('Looks at a running mesh, proves it, and rotates and revokes its certificates.')
    .exitOverride()
    // Commander quotes what it does not understand, which may be a value that was meant for standard input.
    .configureOutput({ outputError: (text, write) => write(withoutDigits(text)) })
    .configureHelp({ sortSubcommands: true })
    .showHelpAfterError('(use --help for what is expected)')
    .addHelpText('after', exitCodes());
  let region: string | undefined;
  const asked = { runningMesh: () => runningMesh(region), print };
  const seen = { mesh, ...asked };
  const valued = { ...asked, onlyStandardInput: onlyStandardInputOf(program) };
  addStatusCommand(program, seen);
  addVerifyCommand(program, {
    ...seen,
    refreshIdentityFiles: async (state, clients) => await refreshIdentityFiles(mesh, state, clients),
  });
  addRotateCommand(program, seen);
  addRevokeCommand(program, seen);
  addTokenCommand(program, valued);
  addDetokenizeCommand(program, valued);
  addEdgesCommand(program, seen);
  addEventsCommand(program, asked);
  addTapCommand(program, seen);
  addExplainCommand(program, {
    ...seen,
    refresh: async (state) => await refreshIdentityFiles(mesh, state, clientsOf(state)),
  });
  addDashboardCommand(program, seen);
  addPolicyCommand(program, mesh, print);
  addLoginCommand(program, asked);
  addMetricsCommand(program, mesh, print);
  addVerifyNodeCommand(program, mesh, print, valued.onlyStandardInput);
  addTextCommand(program, valued);
  addScanCommand(program);
  addLoadCommand(program, asked);
  addFingerprintsCommand(program, asked);
  addHoneyCommand(program, valued);
  addKeysCommands(program, asked);
  addKeyVersionsCommand(program, valued);
  addEdgeCommand(program, valued);
  addAuditCommand(program, valued);
  addCaCommand(program, {
    ...seen,
    writeState: (state) => writeRunState(stateFileOf(state, stateFile()), state),
  });
  addRegionsCommand(program, asked);
  addRegionOption(program, (chosen) => {
    region = chosen;
  });
  return program;
}

function exitCodes(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return ['', 'Exit codes:', ...lines].join('\n');
}

/** Commander's own message would show the argument, which may be the very value. */
function onlyStandardInputOf(program: Command): (argument: string) => void {
  return (argument) => {
    if (argument === '-') return;
    program.error(
      'error: expected - for standard input, since arguments can be read by others: pipe the value in',
    );
  };
}
