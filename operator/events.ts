/**
 * `mesh events`: what becomes of tokens, as the bus tells it.
 *
 * It listens as any consumer does: a rule on the bus, and a queue behind it, both gone with the command.
 *
 * @module
 */

import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import {
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type EventBridgeClient,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import { EVENT_BUS } from '../sidecar/event-bus.ts';
import { LIFE_EVENT_SOURCE } from '../sidecar/tokenizer/adapters/eventbridge-life-events.ts';
import type { LifeEvent } from '../sidecar/tokenizer/core/audit/life-events.ts';
import { emulatorClients } from './aws-clients.ts';
import { bulkClients } from './bulk-clients.ts';
import { countOf } from './counts.ts';
import { untilInterrupted } from './interrupted.ts';
import type { RunState } from './run-state.ts';

export interface EventsCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
}

/** As EventBridge delivers it to a target. */
export interface DeliveredEvent {
  readonly time: string;
  readonly 'detail-type': LifeEvent['type'];
  readonly detail: Omit<LifeEvent, 'type'> & { readonly id: string };
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

interface Clients {
  readonly events: EventBridgeClient;
  readonly sqs: SQSClient;
}

async function* followEvents(
  { events, sqs }: Clients,
  EventBusName: string,
  signal: AbortSignal,
): AsyncGenerator<DeliveredEvent> {
  const Name = `tokenmesh-events-${randomUUID().slice(0, 8)}`;
  const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: Name }))).QueueUrl ?? '';
  try {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const Targets = [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }];
    await events.send(
      new PutRuleCommand({
        Name,
        EventBusName,
        EventPattern: JSON.stringify({ source: [LIFE_EVENT_SOURCE] }),
      }),
    );
    await events.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets }));
    process.stderr.write('watching what becomes of tokens, until Ctrl-C ...\n');
    while (!signal.aborted) yield* await received(sqs, QueueUrl, signal);
  } finally {
    await events.send(new RemoveTargetsCommand({ Rule: Name, EventBusName, Ids: ['queue'] }));
    await events.send(new DeleteRuleCommand({ Name, EventBusName }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  }
}

async function received(sqs: SQSClient, QueueUrl: string, signal: AbortSignal): Promise<DeliveredEvent[]> {
  try {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      { abortSignal: signal },
    );
    if (Messages.length === 0) return [];
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.map(({ Body = '{}' }) => JSON.parse(Body) as DeliveredEvent);
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}
