import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { Agent, type Dispatcher } from 'undici';
import { IDENTITY_HEADER, listenOnSocket } from '../../../../runtime/http-server.ts';
import { createTokenizerClient } from '../../../../sidecar/tokenizer/client/tokenizer-client.ts';
import { createVaultTokenizer } from '../../../../sidecar/tokenizer/vault-tokenizer.ts';
import { describeTokenizer } from '../../../contracts/tokenizer.contract.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';
import { order, paybill, startVaultUnderTest } from '../../../support/vault-under-test.ts';

let directory: string;
let agent: Agent;
let service: TokenizerUnderTest;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-client-'));
  const socketPath = join(directory, 'app.sock');
  service = await startTokenizerUnderTest();
  await listenOnSocket(service.app, socketPath);
  agent = new Agent({ connect: { socketPath } });
});

afterAll(async () => {
  await agent.close();
  await service.app.close();
  await rm(directory, { recursive: true });
});

/** What Envoy does on the way: it says who called. */
function as(identity: string): Dispatcher {
  return agent.compose((dispatch) => (options, handler) => {
    const headers = { ...(options.headers as Record<string, string>), [IDENTITY_HEADER]: identity };
    return dispatch({ ...options, headers }, handler);
  });
}

describeTokenizer('the client of the service', () => ({
  order: createTokenizerClient({ dispatcher: as(order.identity) }),
  paybill: createTokenizerClient({ dispatcher: as(paybill.identity) }),
}));

describeTokenizer('the vault in the process', () => {
  const { vault } = startVaultUnderTest();
  return { order: createVaultTokenizer(vault, order), paybill: createVaultTokenizer(vault, paybill) };
});
