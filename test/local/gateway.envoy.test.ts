/**
 * The way in from outside, in the whole mesh: tokens of the emulated Cognito, got with the AWS SDK.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CreateUserPoolClientCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { describe, expect, it } from '@jest/globals';
import { createUserPool } from '../../local/aws/user-pool.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients, type AwsClients } from '../../operator/aws-clients.ts';
import { accessToken, authenticationOf } from '../../operator/login.ts';
import type { MeshStatus } from '../../operator/status.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { command, mesh, type Output } from '../support/running-mesh.ts';

const DEADLINE_MS = 60_000;
const CARD = testCard('visa', 16).number;

const suite = meshOfSuite();
const aws = (): AwsClients => emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);

const ORDER = JSON.stringify({
  items: [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2_599 }],
  currency: 'EUR',
  card: { number: CARD, expiry: '12/39', holder: 'A Tester' },
});

/** As the README shows it: what is secret comes on standard input. */
async function order(header = ''): Promise<{ status: number; document: Record<string, unknown> }> {
  const { cas, gatewayUrl } = suite.state;
  const root = cas.find(({ name }) => name === 'servers-root')?.certificate ?? '';
  const given = ['-H', '@-', '-H', 'content-type: application/json', '-d', ORDER];
  const answer: Output = await command(
    'curl',
    ['-s', '-w', '\n%{http_code}', '--cacert', root, `${gatewayUrl}/orders`, ...given],
    {},
    header,
  );
  // Envoy's own answers end with a line of their own.
  const lines = answer.stdout.split('\n');
  const body = lines[0] ?? '{}';
  return { status: Number(lines.at(-1)), document: JSON.parse(body) as Record<string, unknown> };
}

const bearer = (token: string): string => `authorization: Bearer ${token}`;

describe('mesh login', () => {
  it(
    'prints a header with which curl places an order, and the token is in no file of the run',
    async () => {
      const login = await mesh(suite.run, ['login', '--header']);
      expect(login).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^authorization: Bearer ey\S+\n$/),
      });
      expect(await order(login.stdout)).toMatchObject({ status: 201, document: { status: 'PLACED' } });
      const [, , signature = ''] = login.stdout.trim().split('.');
      const { directory } = suite.state;
      const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      );
      expect(files.length).toBeGreaterThan(20);
      const found = files.filter((file) =>
        readFileSync(join(file.parentPath, file.name), 'latin1').includes(signature),
      );
      expect(found.map(({ name }) => name)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'asks for fewer scopes, which the gateway holds the caller to',
    async () => {
      const { stdout } = await mesh(suite.run, ['login', '--json', '--scope', 'tokenmesh/orders.read']);
      const { token, scopes, expiresInSeconds } = JSON.parse(stdout) as {
        token: string;
        scopes: string[];
        expiresInSeconds: number;
      };
      expect({ scopes, expiresInSeconds }).toEqual({
        scopes: ['tokenmesh/orders.read'],
        expiresInSeconds: 3_600,
      });
      expect(await order(bearer(token))).toMatchObject({
        status: 403,
        document: { code: 'ERR_SCOPE_MISSING' },
      });
    },
    DEADLINE_MS,
  );

  it(
    'says which scopes there are where it is asked for another',
    async () => {
      const { code, stdout, stderr } = await mesh(suite.run, ['login', '--scope', 'tokenmesh/everything']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('invalid_scope');
      expect(stderr).toContain('tokenmesh/orders.write tokenmesh/orders.read tokenmesh/payments.write');
    },
    DEADLINE_MS,
  );

  it('is told of by status, without a secret', async () => {
    const { stdout } = await mesh(suite.run, ['status', '--json']);
    const { gateway } = JSON.parse(stdout) as MeshStatus;
    expect(gateway.authentication).toEqual(suite.state.authentication);
    expect(JSON.stringify(gateway)).not.toMatch(/secret/i);
  });
});

describe('the gateway', () => {
  it('refuses a caller without a token', async () => {
    expect(await order()).toMatchObject({ status: 401, document: { code: 'ERR_TOKEN_MISSING' } });
  });

  it('refuses the token of another client of the same user pool', async () => {
    const ours = authenticationOf(suite.state);
    const { UserPoolClient } = await aws().cognito.send(
      new CreateUserPoolClientCommand({
        UserPoolId: ours.userPoolId,
        ClientName: 'another',
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: [...ours.scopes],
      }),
    );
    const { token } = await accessToken({ ...ours, clientId: UserPoolClient?.ClientId ?? '' }, aws());
    expect(await order(bearer(token))).toMatchObject({
      status: 401,
      document: { code: 'ERR_TOKEN_INVALID' },
    });
  });

  it("refuses the token of another user pool, though its client's name and scopes are the same", async () => {
    const { endpointUrl, region } = suite.state.aws;
    const clients = aws();
    const made = await createUserPool(
      clients.cognito,
      { ...tokenizationMesh, name: 'another' },
      { endpointUrl, region },
    );
    if (made === undefined) throw new Error('the shipped mesh has changed');
    const { token } = await accessToken(made.state, clients);
    expect(await order(bearer(token))).toMatchObject({
      status: 401,
      document: { code: 'ERR_TOKEN_INVALID' },
    });
  });

  it("refuses a person's token of the pool: its access token for want of the client, its ID token", async () => {
    const { cognito } = aws();
    const { userPoolId: UserPoolId } = authenticationOf(suite.state);
    const Username = 'a-person';
    const { UserPoolClient } = await cognito.send(
      new CreateUserPoolClientCommand({
        UserPoolId,
        ClientName: 'people',
        ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      }),
    );
    await cognito.send(new AdminCreateUserCommand({ UserPoolId, Username, MessageAction: 'SUPPRESS' }));
    await cognito.send(
      new AdminSetUserPasswordCommand({
        UserPoolId,
        Username,
        Password: 'Of-the-test-4lone',
        Permanent: true,
      }),
    );
    const { AuthenticationResult } = await cognito.send(
      new InitiateAuthCommand({
        ClientId: UserPoolClient?.ClientId ?? '',
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: Username, PASSWORD: 'Of-the-test-4lone' },
      }),
    );
    for (const token of [AuthenticationResult?.AccessToken, AuthenticationResult?.IdToken]) {
      expect(token).toMatch(/^ey/);
      expect(await order(bearer(token ?? ''))).toMatchObject({
        status: 401,
        document: { code: 'ERR_TOKEN_INVALID' },
      });
    }
  });
});
