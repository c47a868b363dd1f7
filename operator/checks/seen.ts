/**
 * What the checks are given: facts as they were seen, by whatever means.
 *
 * @module
 */

/** One listener's TLS and RBAC counters, as Envoy counts them. */
export interface ListenerCounters {
  readonly handshake: number;
  readonly noCertificate: number;
  readonly failVerifyNoCert: number;
  readonly failVerifyError: number;
  readonly failVerifySan: number;
  readonly connectionError: number;
  readonly rbacDenied: number;
  /** Handshakes by TLS version, such as `TLSv1.3`. */
  readonly versions: Readonly<Record<string, number>>;
}

/** What came of one attempt to talk HTTP to a listener. */
export type ProbeOutcome =
  | { readonly outcome: 'answered'; readonly status: number; readonly tls?: string; readonly serial?: string }
  /**
   * Refused in the handshake, or closed without an answer. Under TLS 1.3 the listener has shown its own
   * certificate by then.
   */
  | { readonly outcome: 'refused'; readonly reason: string; readonly tls?: string; readonly serial?: string };
