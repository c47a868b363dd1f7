import { describe, expect, it } from '@jest/globals';
import { iamTokens } from '../../sample-apps/order-history/database.ts';

const USER = {
  host: 'orders.cluster-x.eu-west-1.rds.amazonaws.com',
  port: 3306,
  user: 'order_app',
  region: 'eu-west-1',
};

/** As AWS's SDK finds them; made up. */
async function withCredentials<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'made-up-for-a-test',
  });
  try {
    return await work();
  } finally {
    process.env = before;
  }
}

describe('a token of IAM for the database', () => {
  it('is a signed request to connect as this user to this host, good for a quarter of an hour', async () => {
    const token = await withCredentials(iamTokens(USER));
    const url = new URL(`https://${token}`);
    expect(url.host).toBe(`${USER.host}:3306`);
    const asked = Object.fromEntries(url.searchParams);
    expect(asked).toMatchObject({
      Action: 'connect',
      DBUser: 'order_app',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Expires': '900',
    });
    expect(asked['X-Amz-Credential']).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/rds-db\/aws4_request$/);
    expect(asked['X-Amz-Signature']).toMatch(/^[0-9a-f]{64}$/);
  });
});
