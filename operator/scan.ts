import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT_WRONG_USE } from './exit-codes.ts';
import { scanStream, type Finding } from './scan/scan-stream.ts';

const EXIT_FOUND = 1;
const PROGRESS_EVERY_MS = 2_000;
const MEGABYTE = 1024 * 1024;

/** `mesh scan`: needs no running mesh. Exit code 1: a card number was found. */
export function addScanCommand(program: Command): void {
  const command = program
    .command('scan')
    .description('find card numbers in a file or dump, with no service running')
    .argument('<input>', 'a file, or - for standard input')
    .action(async (input: string) => {
      const name = input === '-' ? 'standard input' : input;
      const findings = await scanStream(await inputOf(command, input), {
        onFinding: (finding) => process.stdout.write(`${findingLine(name, finding)}\n`),
        onProgress: progress(),
      });
      process.stderr.write(`${findings} card number${findings === 1 ? '' : 's'} found\n`);
      if (findings > 0) process.exitCode = EXIT_FOUND;
    });
}

/** Where it is and what it is, never the number. */
function findingLine(name: string, { line, column, scheme, digits, lastFour }: Finding): string {
  return `${name}:${line}:${column}: ${scheme} ${lastFour.padStart(digits, '*')}`;
}

/** A file that cannot be read is wrong use, and must not look like a find. The name is not shown: it may be the number. */
async function inputOf(command: Command, input: string): Promise<AsyncIterable<Uint8Array>> {
  if (input === '-') return process.stdin;
  try {
    const file = await open(input);
    if (!(await file.stat()).isDirectory()) return file.createReadStream({ highWaterMark: MEGABYTE });
    await file.close();
  } catch {
    // Told below, as a directory is.
  }
  return command.error('error: expected a file that can be read, or - for standard input: correct the path', {
    exitCode: EXIT_WRONG_USE,
  });
}

/** Says every two seconds how far it is. */
function progress(): (bytes: number) => void {
  let next = performance.now() + PROGRESS_EVERY_MS;
  return (bytes) => {
    if (performance.now() < next) return;
    next = performance.now() + PROGRESS_EVERY_MS;
    process.stderr.write(`${Math.floor(bytes / MEGABYTE)} MB looked through ...\n`);
  };
}
