import { Gauge, Registry } from 'prom-client';
import { addCertificateMetrics } from './certificate-metrics.ts';
import type { CertAgent } from './cert-agent/agent.ts';
import type { IssuanceState } from './cert-agent/issuance/short-lived-source.ts';
import type { SecretSink } from './cert-agent/ports.ts';
import type { RevocationWatch } from './cert-agent/revocation.ts';

/** What alarms of the sidecar are made of; read from its state at each scrape. */
export function sidecarMetrics(
  node: string,
  agent: CertAgent,
  revocation: RevocationWatch,
  /** Of a node in short-lived mode; none of any other. */
  issuance: () => readonly IssuanceState[],
  sink: SecretSink,
): { readonly contentType: string; text(): Promise<string> } {
  const registry = new Registry();
  registry.setDefaultLabels({ node });
  addCertificateMetrics(registry, { agent, sink, revocation, now: Date.now });
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (gauge: Gauge<Label>) => void,
  ): void => {
    const made = new Gauge<Label>({
      name: `tokenmesh_${name}`,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset();
        collect(this);
      },
    });
    registry.registerMetric(made);
  };
  gauge('deny_list_serials', 'Serials that the listener refuses.', [], (it) =>
    it.set(revocation.state.deniedSerials.length),
  );
  gauge('revocation_problems', 'What keeps revocation from being up to date; 0 is well.', [], (it) =>
    it.set(problemsOf(revocation)),
  );
  gauge(
    'crl_next_update_seconds',
    'When the CRL that is held must be replaced, in Unix time; 0 for none.',
    ['hierarchy', 'authority'],
    (it) => {
      for (const { hierarchy, authority, nextUpdate } of revocation.state.crls)
        it.set({ hierarchy, authority }, nextUpdate === undefined ? 0 : Date.parse(nextUpdate) / 1000);
    },
  );
  gauge('crl_checked', '1 where Envoy checks handshakes against the CRLs.', ['hierarchy'], (it) => {
    for (const { hierarchy, isCrlChecked } of agent.trustStates) it.set({ hierarchy }, isCrlChecked ? 1 : 0);
  });
  gauge(
    'certificate_behind',
    '1 while a handshake does not show the certificate that was taken last.',
    ['role'],
    (it) => {
      for (const { role, serial, servedSerial } of agent.states)
        it.set({ role }, serial !== undefined && serial === servedSerial ? 0 : 1);
    },
  );
  const ofRole = (name: string, help: string, value: (state: IssuanceState) => number): void =>
    gauge(name, help, ['role'], (it) => {
      for (const state of issuance()) it.set({ role: state.role }, value(state));
    });
  ofRole('renewal_failures', 'Tries to renew that failed since the last that did not.', (it) => it.failures);
  ofRole('renewal_overdue', '1 once a fifth of the life is left and no successor.', ({ alarm }) =>
    alarm === 'none' ? 0 : 1,
  );
  ofRole('certificate_ends_seconds', 'When the certificate ends, in Unix time; 0 for none.', (it) =>
    it.notAfter === undefined ? 0 : Date.parse(it.notAfter) / 1000,
  );
  return { contentType: registry.contentType, text: async () => await registry.metrics() };
}

function problemsOf({ state }: RevocationWatch): number {
  return state.problems.length + state.crls.reduce((sum, { problems }) => sum + problems.length, 0);
}
