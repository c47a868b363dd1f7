import { Agent, request } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';
import { reachAdmin } from '../../sidecar/envoy/reach-admin.ts';
import type { ListenerCounters } from '../checks/seen.ts';

const LISTENER = 'listener.inbound.ssl.';
const VERSIONS = `${LISTENER}versions.`;

/** Reads the counters of the inbound listener from the admin interface of one Envoy. */
export async function listenerCounters(admin: Placement['admin'] | string): Promise<ListenerCounters> {
  const stats = await readStats(admin, '^(listener\\.inbound\\.ssl\\.|http\\.inbound\\.rbac\\.denied)');
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
export async function readStats(
  admin: Placement['admin'] | string,
  filter: string,
): Promise<Map<string, number>> {
  const path = `/stats?format=json&filter=${encodeURIComponent(filter)}`;
  const { stats } = JSON.parse(await askAdmin(admin, path)) as { stats: { name?: string; value?: number }[] };
  return new Map(
    stats.flatMap(({ name, value }) => (name === undefined || value === undefined ? [] : [[name, value]])),
  );
}

/** @param admin - A URL, or where a placement has it: in a task that is a Unix socket. */
async function askAdmin(admin: Placement['admin'] | string, path: string): Promise<string> {
  const { url, dispatcher } =
    typeof admin === 'string' ? { url: admin, dispatcher: new Agent() } : reachAdmin(admin);
  try {
    const { body } = await request(`${url}${path}`, { dispatcher, headersTimeout: 3_000 });
    return await body.text();
  } finally {
    await dispatcher.close();
  }
}
