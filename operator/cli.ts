#!/usr/bin/env node
/**
 * The operator's command: `npm run mesh -- <verb>`. Its exit codes: `exit-codes.ts`.
 *
 * @module
 */

import { basename } from 'node:path';
import { CommanderError } from 'commander';
import { describeError, TokenmeshError, withoutDigits } from '../errors/error.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { EXIT_WRONG_USE, exitCodeOf } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { readRegionState, runStateFile } from './run-state.ts';

const stateFile = (): string => runStateFile(process.env);

const program = createProgram(basename(process.argv[1] ?? '') === 'tokenmesh' ? 'tokenmesh' : 'mesh', {
  mesh: tokenizationMesh,
  stateFile,
  runningMesh: (region) => readRegionState(stateFile(), region),
  print: (text) => void process.stdout.write(`${text}\n`),
});

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
    process.exitCode = exitCodeOf(error);
  }
}
