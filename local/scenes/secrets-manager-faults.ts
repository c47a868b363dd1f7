/** Secrets Manager is away: while the mesh runs, and when a node starts. */

import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState } from '../../operator/run-state.ts';
import type { Outage } from './outage.ts';
import type { OwnMesh } from './own-mesh.ts';

const SECONDS = 5;

const cutOff = ({ faults }: OwnMesh): (() => number) =>
  faults.set({ service: 'secrets-manager', harm: 'cut before' });

export const SECRETS_MANAGER_FAULTS: Readonly<Record<string, Outage>> = {
  'secrets-manager-down': {
    title: 'Secrets Manager is down: every node goes on with what it has',
    seconds: SECONDS,
    begin: async (mesh) => cutOff(mesh),
    mayGet: [],
  },
  'secrets-manager-down-at-start': {
    title: "Secrets Manager is down when the tokenizer's task starts: its Envoy waits for a certificate",
    seconds: SECONDS,
    async begin(mesh) {
      const lift = cutOff(mesh);
      process.kill(mesh.runner.pidsOf('tokenizer').agent ?? 0, 'SIGKILL');
      return async () => {
        await requireWaiting(mesh);
        return lift();
      };
    },
    mayGet: ['no answer', '504 ERR_BACKEND_TIMEOUT'],
    mustGet: ['503 ERR_BACKEND_UNAVAILABLE'],
  },
};

/** The sidecar says what is missing, and has started no Envoy without it. */
async function requireWaiting({ state }: OwnMesh): Promise<void> {
  const status = await sidecarStatus(nodeState(state, 'tokenizer').agentSocket);
  const problems = status?.certificates.flatMap((each) => each.problems) ?? [];
  if (status === undefined || status.envoyPid !== undefined || problems.length === 0) {
    throw new Error('expected a sidecar that waits for its certificate and says so');
  }
}
