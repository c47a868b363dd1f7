/**
 * The tokenizer as its OpenAPI document says, and as schemathesis finds it: from outside, over mutual TLS
 * through its Envoy, with the certificates of order and of paybill.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState } from '../../operator/run-state.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { command, mesh } from '../support/running-mesh.ts';

const HERE = import.meta.dirname;
const DEADLINE_MS = 300_000;

/** So that each run asks the same. */
const SEED = '20';
const EXAMPLES = '20';

const suite = meshOfSuite();
let bin: string;

beforeAll(async () => {
  ({ bin } = await preparePythonEnvironment({
    projectRoot: join(HERE, '..', '..'),
    requirementsFile: join(HERE, 'requirements.txt'),
    name: 'api',
    onProgress: () => undefined,
  }));
}, DEADLINE_MS);

/** Real tokens of several kinds, since one that is made up gets no further than its checksum. */
async function someTokens(): Promise<string> {
  const traits = [
    {},
    { kind: 'pointer' },
    {},
    { format: 'uuid' },
    { kind: 'one-time' },
    { format: 'region' },
  ];
  const made = await Promise.all(
    traits.map((each) =>
      callAs(suite.state, 'order', 'POST', '/v1/tokens', {
        fields: { it: { class: 'email', value: 'joe@example.com' } },
        ...each,
      }),
    ),
  );
  return made.map(({ document }) => String(document['token'])).join(' ');
}

interface Har {
  readonly log: { readonly entries: readonly HarEntry[] };
}

interface HarEntry {
  readonly request: { readonly method: string; readonly url: string };
  readonly response: { readonly status: number };
}

/** @returns What it says at its end, its exit code, and every answer that it got. */
async function askAs(node: string): Promise<{ code: number | null; said: string; answers: string[] }> {
  const { listener, identity } = nodeState(suite.state, 'tokenizer');
  const files = identityFiles(suite.state, node, 'client');
  const report = join(suite.state.directory, `schemathesis-${node}.har`);
  const { code, stdout, stderr } = await command(
    join(bin, 'st'),
    [
      ...['--config-file', join(HERE, 'schemathesis.toml'), 'run'],
      `https://${identity}:${listener.port}/openapi.json`,
      ...['--tls-verify', files.trust, '--request-cert', files.chain, '--request-cert-key', files.key],
      ...[
        '--seed',
        SEED,
        '--max-examples',
        EXAMPLES,
        '--continue-on-failure',
        '--generation-database',
        'none',
      ],
      ...['--report', 'har', '--report-har-path', report, '--no-color'],
    ],
    {
      SCHEMATHESIS_HOOKS: join(HERE, 'hooks.py'),
      PYTHONDONTWRITEBYTECODE: '1',
      TOKENMESH_TOKENIZER_NAME: identity,
      TOKENMESH_TOKENIZER_HOST: listener.host,
      TOKENMESH_TOKENS: await someTokens(),
    },
  );
  const { log } = JSON.parse(await readFile(report, 'utf8')) as Har;
  const answers = log.entries.map(
    ({ request, response }) => `${request.method} ${new URL(request.url).pathname} ${response.status}`,
  );
  return { code, said: code === 0 ? '' : `${stdout}\n${stderr}`, answers };
}

describe('schemathesis', () => {
  it.each([
    [
      'order',
      [
        /^POST \/v1\/tokens 201$/,
        /^POST \/v1\/tokens\/batch 200$/,
        /^PUT \/v1\/references\/[^/]+ 200$/,
        /^PUT \/v1\/references\/[^/]+ 201$/,
        /^GET \/v1\/tokens\/[^/]+ 200$/,
        /^DELETE \/v1\/tokens\/[^/]+ 204$/,
        /^POST \/v1\/tokens\/[^/]+\/archive 200$/,
        /^POST \/v1\/text\/tokenize 200$/,
        /^POST \/v1\/values\/search 200$/,
        /^POST \/v1\/values\/tokenized 200$/,
        /^POST \/v1\/tokens\/validate 200$/,
        /^POST \/v1\/detokenize 403$/,
      ],
    ],
    [
      'paybill',
      [
        /^POST \/v1\/detokenize 200$/,
        /^POST \/v1\/detokenize\/batch 200$/,
        /^GET \/v1\/tokens\/[^/]+ 200$/,
        /^POST \/v1\/text\/detokenize 200$/,
        /^POST \/v1\/tokens 403$/,
      ],
    ],
  ])(
    'finds no 5xx and no answer outside the document, with the certificate of %s',
    async (node, reached) => {
      const { code, said, answers } = await askAs(node);
      expect(said).toBe('');
      expect(code).toBe(0);
      expect(answers.length).toBeGreaterThan(500);
      expect(answers.filter((answer) => / 5\d\d$/.test(answer))).toEqual([]);
      // It got past the first check of each route, too.
      expect(reached.filter((answer) => !answers.some((each) => answer.test(each)))).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'leaves an audit that is whole, and rows that are what it says',
    async () => {
      const { code, stdout } = await mesh(suite.run, ['audit', 'verify']);
      expect([code, stdout]).toEqual([0, expect.stringContaining('every row is what the audit says')]);
    },
    DEADLINE_MS,
  );
});
