import { TokenmeshError, type ErrorCode } from '../errors/error.ts';
import type { CertificateFacts } from './certificate.ts';

/** One thing that is wrong with a bundle or a trust bundle. Neither text holds a key or a passphrase. */
export interface PkiProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/** @param otherwise - What to say of an error that has no code and no remedy. */
export function problemOf(error: unknown, otherwise: (error: unknown) => PkiProblem): PkiProblem {
  if (!(error instanceof TokenmeshError)) return otherwise(error);
  return { code: error.code, message: error.message, remedy: error.remedy };
}

/** How a certificate is named in a message: enough to find it, nothing that identifies a key. */
export function nameOf(facts: CertificateFacts): string {
  return `"${facts.subject}" (serial ${facts.serial})`;
}

/** What is wrong with the dates of a certificate at `now`, if anything. */
export function judgeDates(
  facts: CertificateFacts,
  now: Date,
  codes: { readonly expired: ErrorCode; readonly notYetValid: ErrorCode },
): PkiProblem[] {
  if (now > facts.notAfter) {
    return [
      {
        code: codes.expired,
        message: `certificate ${nameOf(facts)} has expired: expected one valid at ${now.toISOString()}, got one that ended at ${facts.notAfter.toISOString()}`,
        remedy: 'renew and export it: npm run mesh -- rotate <node>',
      },
    ];
  }
  if (now < facts.notBefore) {
    return [
      {
        code: codes.notYetValid,
        message: `certificate ${nameOf(facts)} is not valid yet: expected one valid at ${now.toISOString()}, got one that begins at ${facts.notBefore.toISOString()}`,
        remedy: 'check the clock of this machine, then export the certificate again',
      },
    ];
  }
  return [];
}

/** BoringSSL, and so Envoy, takes no RSA key below this. */
const MIN_RSA_BITS = 2048;

/** OpenSSL's name for P-256. */
const LEAF_CURVE = 'prime256v1';

/** The mesh signs its handshakes with P-256 alone: a leaf of another kind would be served, and no handshake would succeed. */
export function judgeLeafKey(facts: CertificateFacts): PkiProblem[] {
  const { type, curve, bits } = facts.keyAlgorithm;
  if (type === 'ec' && curve === LEAF_CURVE) return [];
  const weak = judgeKeyStrength(facts);
  if (weak.length > 0) return weak;
  return [
    {
      code: 'ERR_KEY_ALGORITHM',
      message: `certificate ${nameOf(facts)} has a key that no handshake of the mesh takes: expected EC on P-256, got ${[type, curve, bits].filter(Boolean).join(' ')}`,
      remedy: 'request the certificate with key algorithm EC_prime256v1',
    },
  ];
}

export function judgeKeyStrength(facts: CertificateFacts): PkiProblem[] {
  const { type, bits } = facts.keyAlgorithm;
  if (!type.startsWith('rsa') || bits === undefined || bits >= MIN_RSA_BITS) return [];
  return [
    {
      code: 'ERR_KEY_TOO_WEAK',
      message: `certificate ${nameOf(facts)} has a key that Envoy refuses: expected RSA of at least ${MIN_RSA_BITS} bits or an elliptic curve, got RSA of ${bits} bits`,
      remedy: 'request the certificate with key algorithm EC_prime256v1',
    },
  ];
}
