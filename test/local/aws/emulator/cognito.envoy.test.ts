import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { request } from 'undici';
import { createUserPool, type CreatedUserPool } from '../../../../local/aws/user-pool.ts';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import { accessToken } from '../../../../operator/login.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';

let aws: EmulatedAws;
let cognito: CognitoIdentityProviderClient;

beforeAll(async () => {
  aws = await startEmulatedAws();
  cognito = new CognitoIdentityProviderClient({ ...aws.clientConfig, maxAttempts: 1 });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  cognito?.destroy();
  await aws?.stop();
});

async function pool(name: string): Promise<CreatedUserPool> {
  const made = await createUserPool(
    cognito,
    { ...tokenizationMesh, name },
    { endpointUrl: aws.endpointUrl, region: 'us-east-1' },
  );
  if (made === undefined) throw new Error('the shipped mesh has changed');
  return made;
}

async function answerOf(
  path: string,
  form?: Record<string, string>,
): Promise<{ status: number; document: unknown }> {
  const { statusCode, body } = await request(`${aws.endpointUrl}${path}`, {
    ...(form === undefined
      ? {}
      : {
          method: 'POST' as const,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams(form).toString(),
        }),
  });
  return { status: statusCode, document: await body.json() };
}

const keysOf = async ({ tokenIssuer }: CreatedUserPool): Promise<JSONWebKeySet> =>
  (await answerOf(tokenIssuer.keys.path)).document as JSONWebKeySet;

describe('the emulated Cognito', () => {
  it('signs an access token with the claims that Cognito gives a client, which its published keys verify', async () => {
    const made = await pool('one');
    const { token } = await accessToken(made.state, { cognito });
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(await keysOf(made)), {
      issuer: made.state.issuer,
      algorithms: ['RS256'],
    });
    expect(protectedHeader.kid).toBeTruthy();
    expect(payload).toMatchObject({
      sub: made.state.clientId,
      client_id: made.state.clientId,
      token_use: 'access',
      scope: made.state.scopes.join(' '),
      version: 2,
    });
    expect(payload).not.toHaveProperty('aud');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
  });

  it('has keys of its own for each pool, and none of them private', async () => {
    const [one, two] = [await pool('two'), await pool('three')];
    const { token } = await accessToken(one.state, { cognito });
    await expect(jwtVerify(token, createLocalJWKSet(await keysOf(two)))).rejects.toThrow();
    expect((await keysOf(one)).keys.flatMap((key) => ['d', 'p', 'q'].filter((part) => part in key))).toEqual(
      [],
    );
  });

  it('signs with a successor while the old key is still published, until it is withdrawn', async () => {
    const made = await pool('four');
    const old = (await accessToken(made.state, { cognito })).token;
    await answerOf(`/tokenmesh/cognito/${made.state.userPoolId}/add-key`);
    const young = (await accessToken(made.state, { cognito })).token;
    const both = createLocalJWKSet(await keysOf(made));
    expect((await keysOf(made)).keys.length).toBe(2);
    await Promise.all([jwtVerify(old, both), jwtVerify(young, both)]);
    await answerOf(`/tokenmesh/cognito/${made.state.userPoolId}/withdraw-keys`);
    const last = createLocalJWKSet(await keysOf(made));
    await jwtVerify(young, last);
    await expect(jwtVerify(old, last)).rejects.toThrow();
  });

  it.each<[string, (clientId: string) => Record<string, string>, string]>([
    [
      'a wrong secret',
      (client_id) => ({ client_id, client_secret: 'x', grant_type: 'client_credentials' }),
      'invalid_client',
    ],
    [
      'an unknown client',
      () => ({ client_id: 'x', client_secret: 'x', grant_type: 'client_credentials' }),
      'invalid_client',
    ],
    ['nothing', () => ({}), 'invalid_client'],
  ])('refuses %s', async (_what, form, error) => {
    const made = await pool('five');
    expect(await answerOf('/oauth2/token', form(made.state.clientId))).toEqual({
      status: 400,
      document: { error },
    });
  });

  it('knows no keys of a pool that there is not', async () => {
    expect((await answerOf('/us-east-1_nobody/.well-known/jwks.json')).status).toBe(404);
  });
});
