/**
 * The HTTP that the bare tokenizer and the usual pattern share: the four routes of the tokenizer, and no
 * schema, identity, log or problem document.
 *
 * @module
 */

import Fastify from 'fastify';
import { listenOnSocket } from '../runtime/http-server.ts';
import { stopOnSignal } from '../runtime/lifecycle.ts';

export interface Vaultlike {
  /** @returns A token for each value, once all are stored. */
  tokenize(values: readonly string[]): Promise<readonly string[]>;
  /** @returns The value behind each token. */
  detokenize(tokens: readonly string[]): Promise<readonly string[]>;
}

interface TokenizeItem {
  readonly fields: Readonly<Record<string, { readonly value: string }>>;
}

interface DetokenizeItem {
  readonly token: string;
}

const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** A record of a bench has one field, and this is its name. */
export const FIELD = 'card';

const tokenized = (token: string): object => ({ token, createdAt: new Date().toISOString() });
const revealed = (value: string): object => ({ fields: { [FIELD]: { value, form: 'plain' } } });
const valueOf = ({ fields }: TokenizeItem): string => fields[FIELD]?.value ?? '';

export async function serveVault(vault: Vaultlike): Promise<void> {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES });
  app.get('/readyz', () => ({ status: 'ready' }));
  app.post<{ Body: TokenizeItem }>('/v1/tokens', async ({ body }, reply) => {
    const [token = ''] = await vault.tokenize([valueOf(body)]);
    return await reply.status(201).send(tokenized(token));
  });
  app.post<{ Body: DetokenizeItem }>('/v1/detokenize', async ({ body }) => {
    const [value = ''] = await vault.detokenize([body.token]);
    return revealed(value);
  });
  app.post<{ Body: { readonly items: readonly TokenizeItem[] } }>('/v1/tokens/batch', async ({ body }) => ({
    results: (await vault.tokenize(body.items.map(valueOf))).map(tokenized),
  }));
  app.post<{ Body: { readonly items: readonly DetokenizeItem[] } }>(
    '/v1/detokenize/batch',
    async ({ body }) => ({
      results: (await vault.detokenize(body.items.map(({ token }) => token))).map(revealed),
    }),
  );
  stopOnSignal(async () => await app.close());
  await listenOnSocket(app, process.env['TOKENMESH_APP_SOCKET'] ?? '');
}
