import { request } from 'undici';
import type { ListenerCounters } from '../checks/seen.ts';

const LISTENER = 'listener.inbound.ssl.';
const VERSIONS = `${LISTENER}versions.`;

/** Reads the counters of the inbound listener from the admin interface of one Envoy. */
export async function listenerCounters(adminUrl: string): Promise<ListenerCounters> {
  const stats = await readStats(adminUrl, '^(listener\\.inbound\\.ssl\\.|http\\.inbound\\.rbac\\.denied)');
  const of = (name: string): number => stats.get(`${LISTENER}${name}`) ?? 0;
  return {
    handshake: of('handshake'),
    noCertificate: of('no_certificate'),
    failVerifyNoCert: of('fail_verify_no_cert'),
    failVerifyError: of('fail_verify_error'),
    failVerifySan: of('fail_verify_san'),
    connectionError: of('connection_error'),
    rbacDenied: stats.get('http.inbound.rbac.denied') ?? 0,
    versions: Object.fromEntries(
      [...stats]
        .filter(([name]) => name.startsWith(VERSIONS))
        .map(([name, count]) => [name.slice(VERSIONS.length), count]),
    ),
  };
}

/** Counters and gauges by name; histograms are left out. @param filter - A regular expression of Envoy's. */
export async function readStats(adminUrl: string, filter: string): Promise<Map<string, number>> {
  const { body } = await request(`${adminUrl}/stats?format=json&filter=${encodeURIComponent(filter)}`, {
    headersTimeout: 3_000,
  });
  const { stats } = (await body.json()) as { stats: { name?: string; value?: number }[] };
  return new Map(
    stats.flatMap(({ name, value }) => (name === undefined || value === undefined ? [] : [[name, value]])),
  );
}
