import { Registry } from 'prom-client';
import { describe, expect, it } from '@jest/globals';
import {
  addCertificateMetrics,
  type CertificateMetricsParts,
} from '../../../sidecar/envoy/certificate-metrics.ts';

const NOW = Date.parse('2026-07-01T00:00:00Z');
const PROBLEM = { code: 'ERR_CERTIFICATE_EXPIRED', message: 'it has expired', remedy: 'renew it' } as const;

const CALM: CertificateMetricsParts = {
  agent: {
    states: [
      { role: 'client', swaps: 1, problems: [] },
      { role: 'server', swaps: 3, problems: [], notAfter: '2026-07-03T12:00:00Z', rotationLagMs: 1_500 },
    ],
    trustStates: [],
  },
  sink: { answers: [{ name: 'server', taken: 3, refused: 1 }] },
  revocation: {
    state: {
      denyListVersion: undefined,
      deniedSerials: [],
      denyListWrittenAt: undefined,
      crls: [],
      problems: [],
    },
  },
  now: () => NOW,
};

async function linesOf(parts: CertificateMetricsParts): Promise<string[]> {
  const registry = new Registry();
  addCertificateMetrics(registry, parts);
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics of certificates', () => {
  it('tell days left, swaps, the lag of the last rotation, and what Envoy took and refused', async () => {
    expect(await linesOf(CALM)).toEqual([
      'tokenmesh_certificate_days_left{role="server"} 2.5',
      'tokenmesh_certificate_swaps_total{role="client"} 1',
      'tokenmesh_certificate_swaps_total{role="server"} 3',
      'tokenmesh_certificate_problem_count 0',
      'tokenmesh_rotation_lag_seconds{role="server"} 1.5',
      'tokenmesh_secrets_taken_total{secret="server"} 3',
      'tokenmesh_secrets_refused_total{secret="server"} 1',
    ]);
  });

  it('tell how long a rotation has been under way that is not proven', async () => {
    const rotatingSince = new Date(NOW - 60_000).toISOString();
    const agent = {
      states: [{ role: 'server' as const, swaps: 1, problems: [], rotationLagMs: 5, rotatingSince }],
      trustStates: [],
    };
    expect(await linesOf({ ...CALM, agent })).toContain('tokenmesh_rotation_lag_seconds{role="server"} 60');
  });

  it('name every problem by what it is about and its code', async () => {
    const trust = { hierarchy: 'servers' as const, version: 'v', isCrlChecked: true, crlSerials: [] };
    const agent = {
      states: [{ role: 'server' as const, swaps: 1, problems: [PROBLEM] }],
      trustStates: [{ ...trust, problems: [PROBLEM], crlProblems: [PROBLEM] }],
    };
    const lines = await linesOf({ ...CALM, agent });
    expect(lines.filter((line) => line.startsWith('tokenmesh_certificate_problems'))).toEqual(
      ['server', 'trust-servers', 'crls-servers'].map(
        (about) => `tokenmesh_certificate_problems{about="${about}",code="ERR_CERTIFICATE_EXPIRED"} 1`,
      ),
    );
  });
});
