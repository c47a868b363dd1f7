import type { TestHierarchy } from '../../support/issue-certificate.ts';
import type { Shown } from './handshake.ts';

/** A listener, and what an attacker knows who stands beside it. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** The name that it proves. */
  readonly name: string;
  /** Of the servers, PEM. */
  readonly trust: string;
  /** With the packages of test/trust/requirements.txt. */
  readonly python: string;
}

/** The tokenizer's listener, with the CAs in hand: what an attacker may at best have got out of them. */
export interface TlsTarget extends Listening {
  readonly clients: TestHierarchy;
  readonly servers: TestHierarchy;
  /** What a member shows that may call. */
  readonly member: Shown;
}
