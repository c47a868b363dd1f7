import { Gauge, Registry } from 'prom-client';
import type { CertAgent } from './cert-agent/agent.ts';
import type { RevocationWatch } from './cert-agent/revocation.ts';

/** What alarms of the sidecar are made of; read from its state at each scrape. */
export function sidecarMetrics(
  node: string,
  agent: CertAgent,
  revocation: RevocationWatch,
): { readonly contentType: string; text(): Promise<string> } {
  const registry = new Registry();
  registry.setDefaultLabels({ node });
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
  return { contentType: registry.contentType, text: async () => await registry.metrics() };
}

function problemsOf({ state }: RevocationWatch): number {
  return state.problems.length + state.crls.reduce((sum, { problems }) => sum + problems.length, 0);
}
