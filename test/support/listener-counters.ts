import type { ListenerCounters } from '../../operator/checks/seen.ts';

/** A mutual listener after five handshakes, none refused. */
export const COUNTERS: ListenerCounters = {
  handshake: 5,
  noCertificate: 0,
  failVerifyNoCert: 0,
  failVerifyError: 0,
  failVerifySan: 0,
  connectionError: 0,
  rbacDenied: 0,
  versions: { 'TLSv1.3': 5 },
};
