import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';

export interface MeshAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty where the answer has no body. */
  readonly document: Record<string, unknown>;
}

/** By the file of the certificate that they show: two meshes may run. */
const agents = new Map<string, Agent>();

/**
 * Calls the tokenizer's Envoy with the certificate of a node: `mesh status` must have written its files.
 *
 * @param body - A text is sent as it is.
 */
export async function callAs(
  state: RunState,
  node: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<MeshAnswer> {
  const { listener } = nodeState(state, 'tokenizer');
  const answer = await request(`https://${listener.host}:${listener.port}${path}`, {
    dispatcher: agentOf(state, node),
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  const document = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: answer.statusCode, headers: answer.headers, document };
}

export async function closeCalls(): Promise<void> {
  await Promise.all([...agents.values()].map((agent) => agent.close()));
  agents.clear();
}

function agentOf(state: RunState, node: string): Agent {
  const files = identityFiles(state, node, 'client');
  const known = agents.get(files.chain);
  if (known !== undefined) return known;
  const agent = new Agent({
    connect: {
      cert: readFileSync(files.chain),
      key: readFileSync(files.key),
      ca: readFileSync(files.trust),
      servername: nodeState(state, 'tokenizer').identity,
    },
  });
  agents.set(files.chain, agent);
  return agent;
}
