import { Agent, request } from 'undici';
import type { VaultFacts } from '../checks/vault.ts';
import { nodeState, type RunState } from '../run-state.ts';

/** What the tokenizer says of itself to order, through both Envoys. */
export async function vaultFacts(state: RunState): Promise<VaultFacts> {
  const dispatcher = new Agent({ connect: { socketPath: nodeState(state, 'order').egressSocket } });
  try {
    const { statusCode, body } = await request('http://tokenizer/readyz', {
      dispatcher,
      headersTimeout: 5_000,
    });
    const answer = (await body.json()) as Pick<VaultFacts, 'keys'>;
    return { status: statusCode, ...(answer.keys === undefined ? {} : { keys: answer.keys }) };
  } finally {
    await dispatcher.close();
  }
}
