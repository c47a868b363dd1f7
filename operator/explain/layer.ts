/** Where the definition stands, for who looks a fact up. */
export const DEFINITION = 'mesh/tokenization-mesh.ts';

/** One thing that has to hold, in the order in which a connection and a request meet them. */
export interface Layer {
  readonly layer: 'route' | 'TLS trust' | 'SAN' | 'revocation' | 'seen now' | 'token' | 'RBAC' | 'policy';
  readonly ok: boolean;
  /** What was decided. */
  readonly says: string;
  /** What it follows from, and where that stands. */
  readonly fact: string;
}
