import { Command, InvalidArgumentError } from 'commander';
import type { LoadOptions, LoadReport } from './load-file.ts';
import type { RunState } from './run-state.ts';

export interface LoadCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

interface GivenOptions {
  readonly class?: Readonly<Record<string, string>>;
  readonly keep?: readonly string[];
  readonly out?: string;
  readonly ordered?: true;
  readonly resend?: true;
  readonly wait: boolean;
  readonly patience: number;
}

/** `load <file.csv>`: exit code 0 where every record has a token, 1 where one has none. */
export function addLoadCommand(program: Command, { runningMesh, print }: LoadCommandParts): void {
  program
    .command('load')
    .description('tokenize the records of a CSV file through the queue; cut off, it goes on where it was')
    .argument('<file>', 'a CSV file with a header; each column is named after the class of its values')
    .option('--class <column=class>', 'what a column is that is not named so; may be repeated', classOf)
    .option('--keep <column>', 'a column that is not sent, and stands beside the token', more)
    .option('--out <file>', 'where the tokens are written; beside the file unless given')
    .option('--ordered', 'through the FIFO queue: the parts of the file one after the other')
    .option('--resend', 'send those parts again that were given up on')
    .option('--no-wait', 'end when all is in the queue')
    .option('--patience <seconds>', 'how long to wait while nothing comes', secondsOf, 120)
    .action(async (file: string, given: GivenOptions) => {
      const { loadFile } = await import('./load-file.ts');
      const { ended, progress } = shownProgress();
      try {
        const report = await loadFile(runningMesh(), optionsOf(file, given), progress);
        ended();
        print(wordsOf(report));
        if (report.refused > 0) process.exitCode = 1;
      } finally {
        ended();
      }
    });
}

function optionsOf(file: string, given: GivenOptions): LoadOptions {
  return {
    file,
    classes: given.class ?? {},
    kept: given.keep ?? [],
    out: given.out ?? `${file}.tokens.csv`,
    isOrdered: given.ordered === true,
    resends: given.resend === true,
    waits: given.wait,
    patienceMs: given.patience * 1000,
  };
}

function wordsOf({ records, refused, parts, out, resent }: LoadReport): string {
  const again = resent === undefined ? '' : `${resent} parts sent again\n`;
  if (out === undefined)
    return `${again}${parts} parts are in the queue; run the command again for their tokens`;
  return `${again}${records} records: ${records - refused} tokens, ${refused} refused; written to ${out}`;
}

function classOf(text: string, found: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected <column>=<class>, such as number=pan');
  return { ...found, [text.slice(0, at)]: text.slice(at + 1) };
}

function more(text: string, found: readonly string[] | undefined): string[] {
  return [...(found ?? []), text];
}

function secondsOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('expected a whole number of seconds');
  return Number(text);
}

const PLAIN_LINE_EVERY_MS = 2_000;

/** On standard error: one line that changes on a terminal, elsewhere a line every two seconds. */
function shownProgress(): { readonly progress: (line: string) => void; readonly ended: () => void } {
  const { stderr } = process;
  let lastAt = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  return {
    progress(line) {
      if (stderr.isTTY) {
        stderr.write(`\r\u001B[2K${line}`);
        isOpen = true;
      } else if (performance.now() - lastAt >= PLAIN_LINE_EVERY_MS) {
        lastAt = performance.now();
        stderr.write(`${line}\n`);
      }
    },
    ended() {
      if (isOpen) stderr.write('\r\u001B[2K');
      isOpen = false;
    },
  };
}
