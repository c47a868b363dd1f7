/**
 * `mesh load`: a file of a running mesh's user into the queue, and its tokens into a file beside it.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createS3Results } from '../queue/adapters/s3-results.ts';
import { createPartSealer } from '../queue/adapters/sealed-part.ts';
import { createSqsParts } from '../queue/adapters/sqs-parts.ts';
import { csvRows } from '../queue/loading/adapters/csv-file.ts';
import { journalFile } from '../queue/loading/adapters/journal-file.ts';
import { writeTokens } from '../queue/loading/adapters/tokens-file.ts';
import { columnsOf, recordOf, type Columns } from '../queue/loading/columns.ts';
import { followLoad, sendMissing, sendParts, type LoadPorts } from '../queue/loading/load.ts';
import type { BulkRecord } from '../queue/part.ts';
import { EMULATOR_CREDENTIALS } from './aws-clients.ts';
import { bulkClients } from './bulk-clients.ts';
import type { RunState } from './run-state.ts';

export interface LoadOptions {
  readonly file: string;
  readonly classes: Readonly<Record<string, string>>;
  readonly kept: readonly string[];
  readonly out: string;
  readonly isOrdered: boolean;
  readonly resends: boolean;
  readonly waits: boolean;
  readonly patienceMs: number;
}

export interface LoadReport {
  readonly records: number;
  readonly refused: number;
  readonly parts: number;
  /** Undefined where nobody waited for the tokens. */
  readonly out: string | undefined;
  /** Undefined where it was not asked for. */
  readonly resent: number | undefined;
}

/**
 * Goes on with what an earlier run of the command began, until the tokens are written; then nothing is left of it
 * but they.
 *
 * @throws {TokenmeshError} what is wrong with the file, or what does not answer.
 */
export async function loadFile(
  state: RunState,
  options: LoadOptions,
  progress: (line: string) => void,
): Promise<LoadReport> {
  const { aws, bulk } = state;
  const { sqs, s3 } = bulkClients(aws.endpointUrl, aws.region);
  const { url, deadLetterUrl } = options.isOrdered ? bulk.orderedQueue : bulk.queue;
  const columns = await headerOf(options);
  const results = createS3Results({ client: s3, bucket: bulk.resultsBucket });
  const queue = createSqsParts({ client: sqs, queueUrl: url, deadLetterQueueUrl: deadLetterUrl });
  const client = { endpoint: aws.endpointUrl, region: aws.region, credentials: EMULATOR_CREDENTIALS };
  const journal = journalFile(options.file, readingOf(options));
  const ports: LoadPorts = {
    ...{ journal, queue, progress },
    records: () => recordsOf(options.file, columns),
    sealer: createPartSealer({ keyArn: bulk.keyArn, client }),
  };
  try {
    const begun = (await journal.find()) ?? (await journal.begin(randomUUID()));
    const sent = await sendParts(begun, ports);
    const resent = options.resends ? await sendMissing(sent, results, ports) : undefined;
    const report = { records: 0, refused: 0, parts: sent.parts, out: undefined, resent };
    if (!options.waits) return report;
    await followLoad(sent, options.patienceMs, { results, queue, progress, wait: sleep, clock: monotonic });
    const counts = await writeTokens({ ...options, columns, results, ...sent });
    await journal.remove();
    return { ...report, ...counts, out: options.out };
  } finally {
    sqs.destroy();
    s3.destroy();
  }
}

function monotonic(): number {
  return performance.now();
}

/** Two ways of reading a file make other parts of it, and the two queues know nothing of each other. */
function readingOf({ classes, kept, isOrdered }: LoadOptions): string {
  const said = Object.keys(classes)
    .toSorted()
    .map((column) => [column, classes[column]]);
  return JSON.stringify([said, kept.toSorted(), isOrdered]);
}

async function headerOf(options: LoadOptions): Promise<Columns> {
  for await (const header of csvRows(options.file)) return columnsOf(header, options);
  return columnsOf([], options);
}

async function* recordsOf(file: string, columns: Columns): AsyncGenerator<BulkRecord> {
  let isHeader = true;
  for await (const row of csvRows(file)) {
    if (!isHeader) yield recordOf(columns, row);
    isHeader = false;
  }
}
