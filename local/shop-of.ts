import { readFileSync } from 'node:fs';
import { openShop, type Shop } from './traffic.ts';
import { emulatorClients } from '../operator/aws-clients.ts';
import { accessToken, authenticationOf } from '../operator/login.ts';
import type { RunState } from '../operator/run-state.ts';

/** Who places orders through the gateway of a run: with a token of its user pool, under the servers' root. */
export async function shopOf(state: RunState): Promise<Shop> {
  const clients = emulatorClients(state.aws.endpointUrl, state.aws.region);
  const { token } = await accessToken(authenticationOf(state), clients);
  const root = state.cas.find(({ name }) => name === 'servers-root')?.certificate ?? '';
  return openShop(state.gatewayUrl, readFileSync(root, 'utf8'), token);
}
