/**
 * `mesh events`: what becomes of tokens, as the bus tells it.
 *
 * It listens as any consumer does: a rule on the bus, and a queue behind it, both gone with the command.
 *
 * @module
 */

import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import { EVENT_BUS } from '../sidecar/event-bus.ts';
import { emulatorClients } from './aws-clients.ts';
import { bulkClients } from './bulk-clients.ts';
import { openBusQueue, type BusQueueClients, type DeliveredEvent } from './bus-queue.ts';
import { countOf } from './counts.ts';
import { untilInterrupted } from './interrupted.ts';
import type { RunState } from './run-state.ts';

export interface EventsCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

interface EventsOptions {
  readonly json?: boolean;
  readonly number?: number;
}

export function addEventsCommand(program: Command, { runningMesh, print }: EventsCommandParts): void {
  program
    .command('events')
    .description('show what becomes of tokens, as it is told to the event bus, until Ctrl-C')
    .option('-n, --number <count>', 'end after so many', countOf)
    .option('--json', 'print each as it is delivered, one JSON document a line')
    .action(async ({ json, number = Number.POSITIVE_INFINITY }: EventsOptions) => {
      const { aws, eventBusName } = runningMesh();
      if (eventBusName === undefined) throw tellsNobody();
      const interrupted = untilInterrupted();
      process.stdout.on('error', () => interrupted.abort());
      const clients = {
        events: emulatorClients(aws.endpointUrl, aws.region).events,
        sqs: bulkClients(aws.endpointUrl, aws.region).sqs,
      };
      let left = number;
      for await (const event of followEvents(clients, eventBusName, interrupted.signal)) {
        print(json === true ? JSON.stringify(event) : eventLine(event));
        if (process.stdout.writableNeedDrain) {
          await once(process.stdout, 'drain', { signal: interrupted.signal }).catch(() => undefined);
        }
        left -= 1;
        if (left <= 0) return;
      }
    });
}

function tellsNobody(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EVENTS_OFF',
    message: 'the running mesh tells no bus what becomes of tokens: expected one that was started to',
    remedy: `start it so: TOKENMESH_EVENT_BUS=${EVENT_BUS} npm start`,
  });
}

/** One event on one line. */
export function eventLine({ detail, 'detail-type': type }: DeliveredEvent): string {
  const { at, reference, tenant = '-', identity, purpose, fields = [], version, expiresAt } = detail;
  const classes = fields.map((field) =>
    field.form === undefined ? field.class : `${field.class}:${field.form}`,
  );
  return [
    at.slice(11, 23),
    type.padEnd(14),
    reference,
    tenant,
    identity.split('.')[0] ?? identity,
    classes.join(',') || '-',
    ...(purpose === undefined ? [] : [`for ${purpose}`]),
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(expiresAt === undefined ? [] : [`until ${expiresAt}`]),
  ].join('  ');
}

async function* followEvents(
  clients: BusQueueClients,
  busName: string,
  signal: AbortSignal,
): AsyncGenerator<DeliveredEvent> {
  const queue = await openBusQueue(clients, busName, `tokenmesh-events-${randomUUID().slice(0, 8)}`);
  try {
    process.stderr.write('watching what becomes of tokens, until Ctrl-C ...\n');
    while (!signal.aborted)
      yield* await queue.receive(signal).catch((error: unknown) => noneIf(signal, error));
  } finally {
    await queue.remove();
  }
}

/** A wait that Ctrl-C ended is no fault. */
function noneIf(signal: AbortSignal, error: unknown): DeliveredEvent[] {
  if (signal.aborted) return [];
  throw error;
}
