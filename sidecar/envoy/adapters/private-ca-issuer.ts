import { GetCertificateCommand, IssueCertificateCommand, type ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { TokenmeshError, type ErrorCode } from '../../../errors/error.ts';
import type { CertificateRole } from '../../../mesh/definition.ts';
import type { CertificateIssuer } from '../cert-agent/issuance/ports.ts';

/**
 * The client of a source that decides by itself when to try again: no retries of the SDK's own, which
 * would not be counted, and a deadline.
 */
export const ISSUER_CLIENT = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

/** A leaf for one side alone: a client's certificate is no good to listen with. */
export const ISSUER_TEMPLATES: Readonly<Record<CertificateRole, string>> = {
  client: 'arn:aws:acm-pca:::template/EndEntityClientAuthCertificate/V1',
  server: 'arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1',
};

/**
 * AWS Private CA, called by the task itself.
 *
 * Needs `acm-pca:IssueCertificate` with condition `acm-pca:TemplateArn` and `acm-pca:GetCertificate`, on
 * the CA of each role. IAM has no condition on names: whoever may issue may issue any name of the
 * hierarchy (docs/decisions/0014-short-lived-certificates.md).
 *
 * @param authorities - ARNs of CAs of mode SHORT_LIVED_CERTIFICATE.
 */
export function privateCaIssuer(
  client: ACMPCAClient,
  authorities: Readonly<Record<CertificateRole, string>>,
): CertificateIssuer {
  return {
    async place({ role, request, notAfter, idempotencyToken }) {
      const order = new IssueCertificateCommand({
        CertificateAuthorityArn: authorities[role],
        Csr: Buffer.from(request),
        SigningAlgorithm: 'SHA256WITHECDSA',
        TemplateArn: ISSUER_TEMPLATES[role],
        Validity: { Type: 'ABSOLUTE', Value: Math.floor(notAfter.getTime() / 1000) },
        IdempotencyToken: idempotencyToken,
      });
      const { CertificateArn = '' } = await client.send(order).catch((error: unknown) => {
        throw notIssued(error, authorities[role]);
      });
      return CertificateArn;
    },
    async collect(role, certificateArn) {
      const wanted = { CertificateAuthorityArn: authorities[role], CertificateArn: certificateArn };
      try {
        const found = await client.send(new GetCertificateCommand(wanted));
        return { certificate: found.Certificate ?? '', chain: found.CertificateChain ?? '' };
      } catch (error) {
        if (nameOf(error) === 'RequestInProgressException') return undefined;
        throw notIssued(error, authorities[role]);
      }
    },
  };
}

interface Reason {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly remedy: string;
}

const TRIES_AGAIN = 'the sidecar tries again by itself, later each time';

const THROTTLED: Reason = {
  code: 'ERR_ISSUE_THROTTLED',
  expected: 'fewer calls than its quota takes in a second',
  remedy: `${TRIES_AGAIN}; if it goes on, see who else calls this CA (CloudTrail), or have its quota raised`,
};

const REASONS: Readonly<Record<string, Reason>> = {
  ThrottlingException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  LimitExceededException: {
    code: 'ERR_ISSUE_REFUSED',
    expected: 'fewer certificates than its quota takes over its life',
    remedy: 'make a new CA of short-lived mode for this hierarchy, or have the quota raised',
  },
  InvalidStateException: {
    code: 'ERR_ISSUE_CA_NOT_ACTIVE',
    expected: 'a CA in state ACTIVE',
    remedy:
      'enable or restore the CA: aws acm-pca update-certificate-authority --status ACTIVE; if it has expired, install a new certificate in it',
  },
  AccessDeniedException: {
    code: 'ERR_ISSUE_DENIED',
    expected: 'leave for acm-pca:IssueCertificate and acm-pca:GetCertificate',
    remedy: "add both, on this CA and for this template, to the task's role",
  },
  ResourceNotFoundException: {
    code: 'ERR_ISSUE_REFUSED',
    expected: 'a CA that is there',
    remedy: 'deploy again: the task was told of another CA than there is',
  },
};

/** Faults of the call itself, which come again at every try. */
const REFUSALS = [
  'MalformedCSRException',
  'InvalidArgsException',
  'ValidationException',
  'InvalidArnException',
];

const REFUSED: Reason = {
  code: 'ERR_ISSUE_REFUSED',
  expected: 'an order that it takes',
  remedy: "see that the life fits the CA's own and its mode, and that its key is on P-256",
};

const UNAVAILABLE: Reason = {
  code: 'ERR_ISSUE_UNAVAILABLE',
  expected: 'an answer within 10 s',
  remedy: `${TRIES_AGAIN}; see that AWS Private CA can be reached from the task's subnet`,
};

/** The name of the fault alone goes into the message: it stays the same while the fault does. */
function notIssued(cause: unknown, authorityArn: string): TokenmeshError {
  const name = nameOf(cause);
  const reason = REASONS[name] ?? (REFUSALS.includes(name) ? REFUSED : UNAVAILABLE);
  return new TokenmeshError({
    code: reason.code,
    message: `CA ${authorityArn.replace(/^.*certificate-authority\//, '')} does not issue: expected ${reason.expected}, got ${name}`,
    remedy: reason.remedy,
    cause,
  });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}
