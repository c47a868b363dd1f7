import { Gauge, type Registry } from 'prom-client';
import { DAY_MS } from '../../pki/certificate.ts';
import type { PkiProblem } from '../../pki/problem.ts';
import type { CertAgent } from './cert-agent/agent.ts';
import type { SecretSink } from './cert-agent/ports.ts';
import type { RevocationWatch } from './cert-agent/revocation.ts';

export interface CertificateMetricsParts {
  readonly agent: Pick<CertAgent, 'states' | 'trustStates'>;
  readonly sink: Pick<SecretSink, 'answers'>;
  readonly revocation: Pick<RevocationWatch, 'state'>;
  readonly now: () => number;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What alarms on certificates are made of: how long they last, what keeps the next one out, how slow it gets in. */
export function addCertificateMetrics(registry: Registry, parts: CertificateMetricsParts): void {
  for (const [name, [help, samples]] of Object.entries(METRICS)) {
    const gauge = new Gauge({
      name: `tokenmesh_${name}`,
      help,
      labelNames: ['role', 'secret', 'about', 'code'],
      registers: [],
      collect() {
        this.reset();
        for (const { labels, value } of samples(parts)) this.set(labels, value);
      },
    });
    registry.registerMetric(gauge);
  }
}

type Samples = (parts: CertificateMetricsParts) => Sample[];

const METRICS: Readonly<Record<string, readonly [help: string, samples: Samples]>> = {
  certificate_days_left: [
    'Days until the certificate that Envoy has expires; negative once it has.',
    ({ agent, now }) =>
      agent.states.flatMap(({ role, notAfter }) =>
        notAfter === undefined ? [] : [{ labels: { role }, value: (Date.parse(notAfter) - now()) / DAY_MS }],
      ),
  ],
  certificate_swaps_total: [
    'How often a certificate was handed to Envoy.',
    ({ agent }) => agent.states.map(({ role, swaps }) => ({ labels: { role }, value: swaps })),
  ],
  certificate_problems: [
    'What keeps the newest certificate, trust bundle or CRL out of Envoy, by code; none is well.',
    (parts) => problemsOf(parts).map(({ about, code }) => ({ labels: { about, code }, value: 1 })),
  ],
  certificate_problem_count: [
    'How many problems there are with certificates, trust bundles and CRLs; 0 is well.',
    (parts) => [{ labels: {}, value: problemsOf(parts).length }],
  ],
  rotation_lag_seconds: [
    'From the publication of a certificate to the proof that it is served; while that is to come, its age.',
    ({ agent, now }) =>
      agent.states.flatMap(({ role, rotatingSince, rotationLagMs }) => {
        const lagMs = rotatingSince === undefined ? rotationLagMs : now() - Date.parse(rotatingSince);
        return lagMs === undefined ? [] : [{ labels: { role }, value: lagMs / 1000 }];
      }),
  ],
  secrets_taken_total: [
    'How often Envoy said that it took a secret (ACK); absent where secrets are files.',
    ({ sink }) => sink.answers.map(({ name, taken }) => ({ labels: { secret: name }, value: taken })),
  ],
  secrets_refused_total: [
    'How often Envoy said that it did not take a secret (NACK); absent where secrets are files.',
    ({ sink }) => sink.answers.map(({ name, refused }) => ({ labels: { secret: name }, value: refused })),
  ],
};

function problemsOf({ agent, revocation }: CertificateMetricsParts): { about: string; code: string }[] {
  const { crls, problems } = revocation.state;
  const all: [string, readonly PkiProblem[]][] = [
    ...agent.states.map((each): [string, readonly PkiProblem[]] => [each.role, each.problems]),
    ...agent.trustStates.flatMap((each): [string, readonly PkiProblem[]][] => [
      [`trust-${each.hierarchy}`, each.problems],
      [`crls-${each.hierarchy}`, each.crlProblems],
    ]),
    ...crls.map((each): [string, readonly PkiProblem[]] => [`crls-${each.hierarchy}`, each.problems]),
    ['revocation', problems],
  ];
  return all.flatMap(([about, found]) => found.map(({ code }) => ({ about, code })));
}
