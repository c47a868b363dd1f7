import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { Mesh } from '../../mesh/definition.ts';
import type { TokenlessFacts } from '../checks/policy.ts';
import { identityFiles } from '../identities.ts';
import { nodeState, type RunState } from '../run-state.ts';

/** What a gateway answers to its first operation without an access token. */
export async function tokenlessFacts(mesh: Mesh, state: RunState, gateway: string): Promise<TokenlessFacts> {
  const { listener, identity } = nodeState(state, gateway);
  const operation = mesh.virtualGateways[gateway]?.listener.operations[0];
  const ca = await readFile(identityFiles(state, 'order', 'client').trust, 'utf8');
  const dispatcher = new Agent({ connect: { ca, servername: identity } });
  try {
    const { statusCode, body } = await request(
      `https://${listener.host}:${listener.port}${operation?.path ?? '/'}`,
      { dispatcher, method: operation?.method ?? 'GET', headersTimeout: 5_000 },
    );
    const { code } = (await body.json()) as { code?: string };
    return { gateway, status: statusCode, ...(code === undefined ? {} : { code }) };
  } finally {
    await dispatcher.close();
  }
}
