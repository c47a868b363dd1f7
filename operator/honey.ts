/**
 * `mesh honey`: tokens that stand for nobody, and raise the alarm when somebody uses one.
 *
 * @module
 */

import { createSecretKey } from 'node:crypto';
import type { Command } from 'commander';
import { TokenmeshError } from '../errors/error.ts';
import { testCard } from '../sample-apps/test-cards.ts';
import {
  addHoneyToken,
  listHoneyTokens,
  removeHoneyToken,
} from '../sidecar/tokenizer/adapters/dynamodb-honey-tokens.ts';
import { HONEY_KNOWN_WITHIN_MS } from '../sidecar/tokenizer/adapters/honey-watch.ts';
import { createKmsAuditMac } from '../sidecar/tokenizer/adapters/kms-audit-mac.ts';
import { REFERENCE_KEY_MESSAGE, tokenReference } from '../sidecar/tokenizer/core/audit/token-reference.ts';
import { isToken } from '../sidecar/tokenizer/core/token.ts';
import { emulatorClients } from './aws-clients.ts';
import type { RunState } from './run-state.ts';
import { callTokenizer, readStandardInput } from './vault-call.ts';

export interface HoneyCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  /** Refuses what is not `-`. */
  readonly onlyStandardInput: (argument: string) => void;
}

export function addHoneyCommand(program: Command, parts: HoneyCommandParts): void {
  const { runningMesh, print, onlyStandardInput } = parts;
  const honey = program
    .command('honey')
    .description('tokens that nobody should ever use, and that raise the alarm when somebody does');
  honey
    .command('plant')
    .description('make a token for a test card, and print it: leave it where only a thief would find it')
    .option('--format <format>', 'the format of the token', 'default')
    .option('--as <node>', 'the identity that tokenizes', 'order')
    .action(async (options: { format: string; as: string }) => {
      const state = runningMesh();
      const token = await tokenOfNobody(state, options);
      await addHoneyToken(tableOf(state), await referenceOf(state, token), new Date());
      process.stderr.write(
        `its use raises the alarm ${HONEY_KNOWN_WITHIN_MS / 1000} s from now at the latest\n`,
      );
      print(token);
    });
  honey
    .command('add')
    .description('raise the alarm when the token on standard input is used')
    .argument('<input>', '- for standard input: a token is not taken as an argument')
    .action(async (input: string) => {
      onlyStandardInput(input);
      const state = runningMesh();
      await addHoneyToken(tableOf(state), await referenceOf(state, await readToken()), new Date());
      print('added');
    });
  honey
    .command('remove')
    .description('raise no alarm any more for the token on standard input')
    .argument('<input>', '- for standard input: a token is not taken as an argument')
    .action(async (input: string) => {
      onlyStandardInput(input);
      const state = runningMesh();
      const isRemoved = await removeHoneyToken(tableOf(state), await referenceOf(state, await readToken()));
      if (!isRemoved) throw notHoney();
      print('removed');
    });
  honey
    .command('list')
    .description('the references of all: audit find shows what was done with a token')
    .action(async () => {
      const references = await listHoneyTokens(tableOf(runningMesh()));
      print([...references, `honey tokens: ${references.length}`].join('\n'));
    });
}

/** An ordinary token of an ordinary record, which no customer has. */
async function tokenOfNobody(
  state: RunState,
  { format, as }: { format: string; as: string },
): Promise<string> {
  const fields = { number: { class: 'pan', value: testCard('visa', 16).number } };
  const { token } = (await callTokenizer(state, as, '/v1/tokens', { fields, format })) as { token: string };
  return token;
}

async function readToken(): Promise<string> {
  const token = await readStandardInput();
  if (isToken(token) !== undefined) return token;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_MALFORMED',
    message: `what is on standard input is no token: got ${token.length} characters that fit no format`,
    remedy: 'pipe the token in as it was handed out, whole and unchanged',
  });
}

async function referenceOf(state: RunState, token: string): Promise<string> {
  const { kms } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  const mac = createKmsAuditMac({ kms, auditKeyId: state.auditKeyArn });
  return tokenReference(createSecretKey(await mac.macOf(REFERENCE_KEY_MESSAGE)), token);
}

function tableOf(state: RunState) {
  const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  return { client: dynamodb, tableName: state.tables.tokens };
}

function notHoney(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_NOT_HONEY',
    message: 'the token is no honey token: expected one that was planted or added',
    remedy: 'see what there is: npm run mesh -- honey list',
  });
}
