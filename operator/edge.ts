/**
 * `mesh edge`: what the function at the edge makes of a request, with the key of the running mesh.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import type { Command } from 'commander';
import { readEdgeConfig, type EdgeSettings } from '../edge/config.ts';
import { encryptRequest } from '../edge/encrypt-request.ts';
import { ORDER_ROUTES } from '../edge/order-routes.ts';
import { TokenmeshError } from '../errors/error.ts';
import { emulatorClients } from './aws-clients.ts';
import type { RunState } from './run-state.ts';
import { readStandardInputBytes } from './vault-call.ts';

export interface EdgeCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  readonly onlyStandardInput: (argument: string) => void;
}

interface EdgeOptions {
  readonly field: readonly string[];
  readonly tenant: string;
  readonly settings?: boolean;
}

/** What an order of the sample app has of a card. */
const CARD_FIELDS = ORDER_ROUTES.flatMap(({ fields }) => fields).map(
  (field) => `${field.name}=${field.class}`,
);

const KEY_ALIAS = 'alias/tokenmesh-edge';
const PATH = '/';

export function addEdgeCommand(
  program: Command,
  { runningMesh, print, onlyStandardInput }: EdgeCommandParts,
): void {
  program
    .command('edge')
    .description('encrypt fields of the JSON body on standard input, as the function at the edge does')
    .argument('<input>', '- for standard input: a body is not taken as an argument')
    .option(
      '--field <name=class...>',
      `fields and their classes (default: ${CARD_FIELDS.join(' ')})`,
      CARD_FIELDS,
    )
    .option('--tenant <tenant>', 'whose values they are', 'shop')
    .option('--settings', 'print the settings that the function would be built with, and read no body')
    .action(async (input: string, options: EdgeOptions) => {
      onlyStandardInput(input);
      const settings = await edgeSettings(runningMesh(), options);
      if (options.settings === true) print(JSON.stringify(settings, null, 2));
      else print(encryptAtEdge(settings, await readStandardInputBytes()));
    });
}

/** What the function would be built with, for fields of an order unless others are named. */
export async function edgeSettings(
  { aws }: RunState,
  { field = CARD_FIELDS, tenant = 'shop' }: Partial<EdgeOptions> = {},
): Promise<EdgeSettings> {
  const { kms } = emulatorClients(aws.endpointUrl, aws.region);
  const { KeyId = '', PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: KEY_ALIAS }));
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  const fields = field.map((each) => {
    const [, name = '', fieldClass = ''] = /^(.*)=(\w+)$/.exec(each) ?? [];
    return { name, class: fieldClass } as EdgeSettings['routes'][number]['fields'][number];
  });
  return {
    keyId: KeyId.slice(KeyId.indexOf('/') + 1),
    publicKey: key.export({ format: 'pem', type: 'spki' }).toString(),
    tenant,
    routes: [{ methods: ['POST'], path: PATH, fields }],
  };
}

/** @throws {TokenmeshError} what the edge would answer in place of the request. */
export function encryptAtEdge(settings: EdgeSettings, body: Buffer): string {
  const outcome = encryptRequest(readEdgeConfig(JSON.stringify(settings)), {
    Records: [
      {
        cf: {
          config: { eventType: 'origin-request' },
          request: {
            method: 'POST',
            uri: PATH,
            headers: { 'content-type': [{ value: 'application/json' }] },
            body: { action: 'read-only', encoding: 'base64', data: body.toString('base64') },
          },
        },
      },
    ],
  });
  if (!('status' in outcome)) return outcome.body?.data ?? '';
  const { code, title, remedy } = JSON.parse(outcome.body) as {
    code: `ERR_${string}`;
    title: string;
    remedy: string;
  };
  throw new TokenmeshError({ code, message: `the edge refuses it with ${outcome.status}: ${title}`, remedy });
}
