import { join } from 'node:path';

/** Where the cert agent tells of itself: for the operator and for the health check of the container. */
export function agentSocketIn(environment: Readonly<Record<string, string | undefined>>): string {
  return (
    environment['TOKENMESH_AGENT_SOCKET'] ?? join(environment['TOKENMESH_RUN_DIRECTORY'] ?? '', 'agent.sock')
  );
}
