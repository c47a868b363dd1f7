import { request } from 'undici';
import { AWS_CLOCK } from '../checks/expected.ts';
import type { ClockFacts } from '../checks/clock.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { sidecarStatus } from './agent.ts';
import { SilentError } from './looking.ts';

/** The clock of a node, as its sidecar says it. */
export async function nodeClock({ name, agentSocket }: NodeState): Promise<ClockFacts> {
  const status = await sidecarStatus(agentSocket);
  if (status?.now === undefined) throw new SilentError(`the sidecar of ${name}`);
  return { subject: name, aheadSeconds: (Date.parse(status.now) - Date.now()) / 1000 };
}

/** AWS dates its answers (RFC 9110 section 6.6.1), to the second. */
export async function awsClock({ aws }: Pick<RunState, 'aws'>): Promise<ClockFacts> {
  const { headers, body } = await request(aws.endpointUrl, { method: 'HEAD', headersTimeout: 3_000 });
  await body.dump();
  const at = Date.parse(String(headers['date']));
  if (Number.isNaN(at)) throw new SilentError("AWS's clock");
  return { subject: AWS_CLOCK, aheadSeconds: (at - Date.now()) / 1000 };
}
