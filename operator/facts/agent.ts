import { Agent, request } from 'undici';
import type { CertificateState, TrustState } from '../../sidecar/envoy/cert-agent/agent.ts';
import type { SecretAnswers } from '../../sidecar/envoy/cert-agent/ports.ts';
import type { RevocationState } from '../../sidecar/envoy/cert-agent/revocation.ts';
import type { IssuanceState } from '../../sidecar/envoy/cert-agent/issuance/short-lived-source.ts';

/** What a sidecar says of itself on its status socket. */
export interface SidecarStatus {
  readonly node: string;
  readonly ready: boolean;
  /** Its clock. */
  readonly now?: string;
  readonly envoyPid?: number;
  readonly certificates: readonly CertificateState[];
  readonly trust: readonly TrustState[];
  readonly revocation: RevocationState;
  /** Of a node in short-lived mode alone. */
  readonly issuance?: readonly IssuanceState[];
  /** What Envoy said to the secrets that it was handed; empty where they are files. */
  readonly secrets: readonly SecretAnswers[];
}

/** Undefined where nothing answers: not started yet, or gone. */
export async function sidecarStatus(agentSocket: string): Promise<SidecarStatus | undefined> {
  const dispatcher = new Agent({ connect: { socketPath: agentSocket } });
  try {
    const { body } = await request('http://agent/status', { dispatcher, headersTimeout: 2_000 });
    return (await body.json()) as SidecarStatus;
  } catch {
    return undefined;
  } finally {
    await dispatcher.close();
  }
}
