/**
 * Values that nobody has and nothing holds by chance, and every place of a running mesh in which one could lie.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ListQueuesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { request } from 'undici';
import { leakFinder, textOf } from '../../local/leaks.ts';
import { cardWith } from '../../local/scenes/made-cards.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { bulkClients } from '../../operator/bulk-clients.ts';
import type { NodeState, RunState } from '../../operator/run-state.ts';
import { scrape } from '../../sidecar/envoy/scrape.ts';

/** One of each class that is searched for in texts, and of a class that is not. */
export const CANARIES = {
  card: cardWith('99994242853', 19, 7),
  secondCard: cardWith('99994242853', 19, 8),
  name: 'Kanarienvogel Quetzalcoatl',
  email: 'kanarienvogel.quetzal@canary.example',
} as const;

/** Sealed, but in reach of whoever reads it: whatever lies outside of the two that deal in values. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** Files, tables, queues, buckets, metrics and the dashboard, as they are now. */
export async function placesOf(state: RunState): Promise<Place[]> {
  const parts = await Promise.all([
    filesOf(state.directory),
    rowsOf(state),
    messagesOf(state),
    objectsOf(state),
    metricsOf(state.nodes),
    pageOf(state.dashboardUrl),
  ]);
  return parts.flat();
}

/** @returns The names of the places that hold one, in whatever form. */
export function placesWithCanary(places: readonly Place[]): string[] {
  const holdsOne = leakFinder(Object.values(CANARIES));
  return places.filter(({ text }) => holdsOne(text)).map(({ name }) => name);
}

async function filesOf(directory: string): Promise<Place[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: `file ${path.slice(directory.length)}`, text: readFileSync(path, 'latin1') }));
}

async function rowsOf({ aws }: RunState): Promise<Place[]> {
  const { dynamodb } = emulatorClients(aws.endpointUrl, aws.region);
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
  const places: Place[] = [];
  for (const TableName of TableNames) {
    for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName })) {
      places.push(...Items.map((item) => ({ name: `table ${TableName}`, text: textOf(item) })));
    }
  }
  return places;
}

/** What is under way is out of sight for a while: asked after it is done, whatever is left is a dead letter. */
async function messagesOf({ aws }: RunState): Promise<Place[]> {
  const { sqs } = bulkClients(aws.endpointUrl, aws.region);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  const received = await Promise.all(
    QueueUrls.map(async (QueueUrl) => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
      return Messages.map((message) => ({ name: `queue ${QueueUrl}`, text: JSON.stringify(message) }));
    }),
  );
  return received.flat();
}

async function objectsOf({ aws }: RunState): Promise<Place[]> {
  const { s3 } = bulkClients(aws.endpointUrl, aws.region);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const places: Place[] = [];
  for (const { Name: Bucket = '' } of Buckets) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key = '' } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = await Body?.transformToByteArray();
      places.push({
        name: `bucket ${Bucket}`,
        text: `${Key} ${Buffer.from(bytes ?? []).toString('latin1')}`,
      });
    }
  }
  return places;
}

async function metricsOf(nodes: readonly NodeState[]): Promise<Place[]> {
  const asked = nodes.flatMap(({ name, agentSocket, appSocket, adminUrl }) => {
    const { hostname: host, port } = new URL(adminUrl);
    const admin = { host, port: Number(port) };
    return [
      { name: `metrics of the agent of ${name}`, text: scrape({ socket: agentSocket }, '/metrics') },
      { name: `metrics of the Envoy of ${name}`, text: scrape(admin, '/stats/prometheus') },
      ...(name === 'tokenizer'
        ? [{ name: `metrics of ${name}`, text: scrape({ socket: appSocket ?? '' }, '/metrics') }]
        : []),
    ];
  });
  return await Promise.all(asked.map(async ({ name, text }) => ({ name, text: await text })));
}

async function pageOf(dashboardUrl: string): Promise<Place[]> {
  const { body } = await request(dashboardUrl);
  return [{ name: 'page of the dashboard', text: await body.text() }];
}
