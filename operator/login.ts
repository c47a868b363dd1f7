/**
 * `mesh login`: an access token for the gateway, as a client of the user pool gets one for itself.
 *
 * @module
 */

import { DescribeUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import type { Command } from 'commander';
import { Agent, request } from 'undici';
import { TokenmeshError } from '../errors/error.ts';
import { emulatorClients, type AwsClients } from './aws-clients.ts';
import type { AuthenticationState, RunState } from './run-state.ts';

export interface AccessToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly scopes: readonly string[];
}

interface LoginOptions {
  readonly scope?: readonly string[];
  readonly header?: boolean;
  readonly json?: boolean;
}

export function addLoginCommand(
  program: Command,
  { runningMesh, print }: { runningMesh: () => RunState; print: (text: string) => void },
): void {
  program
    .command('login')
    .description('print an access token for the gateway: whoever has it may call until it expires')
    .option('--scope <scope...>', 'these scopes alone; all that the client may have unless given')
    .option('--header', 'print it as a header, for: curl -H @-')
    .option('--json', 'print one JSON document')
    .action(async (options: LoginOptions) => {
      const state = runningMesh();
      const clients = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const found = await accessToken(authenticationOf(state), clients, options.scope);
      if (options.json === true) print(JSON.stringify(found, null, 2));
      else print(options.header === true ? `authorization: Bearer ${found.token}` : found.token);
    });
}

/** @throws {TokenmeshError} `ERR_LOGIN_NOT_ASKED` where the gateway takes whoever comes. */
export function authenticationOf(state: RunState): AuthenticationState {
  if (state.authentication !== undefined) return state.authentication;
  throw new TokenmeshError({
    code: 'ERR_LOGIN_NOT_ASKED',
    message: 'the gateway of this run asks for no token: expected a mesh that authenticates its callers',
    remedy: 'call it without one',
  });
}

/**
 * The client credentials grant (RFC 6749 section 4.4): the client's secret is read from the user pool, which
 * takes the rights of an operator, and goes to the token endpoint alone.
 *
 * @throws {TokenmeshError} `ERR_LOGIN_REFUSED`
 */
export async function accessToken(
  { userPoolId, clientId, tokenUrl, scopes }: AuthenticationState,
  { cognito }: Pick<AwsClients, 'cognito'>,
  wanted: readonly string[] = scopes,
): Promise<AccessToken> {
  const { UserPoolClient } = await cognito.send(
    new DescribeUserPoolClientCommand({ UserPoolId: userPoolId, ClientId: clientId }),
  );
  const credentials = `${clientId}:${UserPoolClient?.ClientSecret ?? ''}`;
  const dispatcher = new Agent();
  try {
    const { statusCode, body } = await request(tokenUrl, {
      dispatcher,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: wanted.join(' ') }).toString(),
      headersTimeout: 10_000,
    });
    const answer = (await body.json()) as { access_token?: string; expires_in?: number; error?: string };
    if (statusCode !== 200 || answer.access_token === undefined)
      throw refused(statusCode, answer.error, scopes);
    return { token: answer.access_token, expiresInSeconds: answer.expires_in ?? 0, scopes: wanted };
  } finally {
    await dispatcher.close();
  }
}

function refused(status: number, error: string | undefined, scopes: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_LOGIN_REFUSED',
    message: `the user pool gave no token: expected 200, got ${status} ${error ?? 'without a reason'}`,
    remedy: `ask for scopes that the client has: ${scopes.join(' ')}`,
  });
}
