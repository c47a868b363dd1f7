import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { signingDate } from '../../../runtime/clock-offset.ts';
import type { ReadObject } from './revocation-source.ts';

const ANSWER_MS = 5_000;
/** About 200,000 serials. */
const OBJECT_BYTES_AT_MOST = 8 * 1_048_576;

/**
 * Reads objects of S3 with one signed GET: all that is wanted of S3 here, so its client is not.
 *
 * Region, credentials and a given endpoint (an emulator's, a VPC endpoint's) are those of an SDK client.
 * Needs `s3:GetObject`; with `s3:ListBucket` a missing object says 404 rather than 403.
 */
export function s3Objects(client: SecretsManagerClient): ReadObject {
  const signer = new SignatureV4({
    credentials: client.config.credentials,
    region: client.config.region,
    service: 's3',
    sha256: client.config.sha256,
    uriEscapePath: false,
  });
  return async ({ bucket, key }) => {
    const url = await urlOf(client, bucket, key);
    const get = {
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host, 'x-amz-content-sha256': EMPTY_SHA256 },
    };
    // The client has found out by its own calls how far this host's clock is from that of AWS.
    const { headers } = await signer.sign(get, { signingDate: signingDate(client.config) });
    const answer = await request(url, { headers, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
    const length = Number(answer.headers['content-length'] ?? 0);
    if (answer.statusCode !== 200 || length > OBJECT_BYTES_AT_MOST) {
      await answer.body.dump();
      throw new Error(`S3 answered ${answer.statusCode} with ${length} bytes`);
    }
    return await answer.body.bytes();
  };
}

/** Of the host name's form, or of the path's where an endpoint is given. */
async function urlOf(client: SecretsManagerClient, bucket: string, key: string): Promise<URL> {
  const given = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'] ?? '';
  const path = key.split('/').map(encodeURIComponent).join('/');
  if (given !== '') return new URL(`${given.replace(/\/$/, '')}/${bucket}/${path}`);
  return new URL(`https://${bucket}.s3.${await client.config.region()}.amazonaws.com/${path}`);
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');
