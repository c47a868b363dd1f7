import { TokenmeshError } from '../errors/error.ts';
import type { SocketAddress } from '../mesh/envoy/types.ts';

export interface QueueConfig {
  readonly keyArn: string;
  readonly resultsBucket: string;
  /** Where the tokenizer's listener is when its name does not lead there: in a local run. */
  readonly tokenizerEndpoint: SocketAddress | undefined;
}

const KEY_ARN = /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]+$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{2,62}$/;
const ENDPOINT = /^([a-z0-9.-]+):(\d{1,5})$/;

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` with every problem. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): QueueConfig {
  const keyArn = environment['TOKENMESH_BULK_KEY_ARN'] ?? '';
  const resultsBucket = environment['TOKENMESH_BULK_RESULTS_BUCKET'] ?? '';
  const given = environment['TOKENMESH_TOKENIZER_ENDPOINT'] ?? '';
  const [, host = '', port = ''] = ENDPOINT.exec(given) ?? [];
  const problems = [
    ...(KEY_ARN.test(keyArn) ? [] : ['TOKENMESH_BULK_KEY_ARN: expected the ARN of a KMS key']),
    ...(BUCKET.test(resultsBucket) ? [] : ['TOKENMESH_BULK_RESULTS_BUCKET: expected the name of a bucket']),
    ...(given === '' || host !== '' ? [] : ['TOKENMESH_TOKENIZER_ENDPOINT: expected host:port, or nothing']),
  ];
  if (problems.length === 0) {
    return {
      keyArn,
      resultsBucket,
      tokenizerEndpoint: given === '' ? undefined : { host, port: Number(port) },
    };
  }
  throw new TokenmeshError({
    code: 'ERR_SETTINGS_INVALID',
    message: problems.join('; '),
    remedy: 'set the named environment variables and start again',
  });
}
