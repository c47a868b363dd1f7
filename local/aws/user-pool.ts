/**
 * The user pool that callers from outside get their tokens from, made with the calls that AWS has for it.
 *
 * @module
 */

import {
  CreateResourceServerCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  type CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Mesh } from '../../mesh/definition.ts';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import { authenticationOf, scopesOf } from '../../mesh/gateway-authentication.ts';
import type { AuthenticationState } from '../../operator/run-state.ts';

/** The client that stands for the shop's own front end: it calls for itself, with no person behind it. */
const CLIENT_NAME = 'shop';

export interface CreatedUserPool {
  readonly state: AuthenticationState;
  readonly tokenIssuer: TokenIssuer;
}

/** @returns Undefined where no gateway of the mesh authenticates its callers. */
export async function createUserPool(
  cognito: CognitoIdentityProviderClient,
  mesh: Mesh,
  { endpointUrl, region }: { readonly endpointUrl: string; readonly region: string },
): Promise<CreatedUserPool | undefined> {
  const authentication = authenticationOf(mesh);
  if (authentication === undefined) return undefined;
  const scopes = scopesOf(mesh);
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: mesh.name }));
  const userPoolId = UserPool?.Id ?? '';
  await cognito.send(
    new CreateResourceServerCommand({
      UserPoolId: userPoolId,
      Identifier: authentication.resourceServer,
      Name: authentication.resourceServer,
      Scopes: scopes.map((scope) => ({ ScopeName: scope, ScopeDescription: scope })),
    }),
  );
  await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId: userPoolId, Domain: mesh.name }));
  const granted = scopes.map((scope) => `${authentication.resourceServer}/${scope}`);
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId: userPoolId,
      ClientName: CLIENT_NAME,
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: granted,
      AccessTokenValidity: 60,
      TokenValidityUnits: { AccessToken: 'minutes' },
    }),
  );
  const clientId = UserPoolClient?.ClientId ?? '';
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`;
  const { hostname, port } = new URL(endpointUrl);
  return {
    state: { userPoolId, clientId, issuer, tokenUrl: `${endpointUrl}/oauth2/token`, scopes: granted },
    tokenIssuer: {
      issuer,
      keys: {
        host: hostname,
        port: Number(port || '80'),
        path: `/${userPoolId}/.well-known/jwks.json`,
        tls: false,
      },
      clientIds: [clientId],
    },
  };
}
