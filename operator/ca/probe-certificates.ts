import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetCertificateCommand, IssueCertificateCommand, type ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { TokenmeshError } from '../../errors/error.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const ISSUED_DEADLINE_MS = 10_000;

export interface IssuedCertificate {
  /** Leaf and intermediates, PEM. */
  readonly chain: string;
  /** PKCS #8, PEM. */
  readonly key: string;
}

export interface IssuePlan {
  readonly authorityArn: string;
  readonly dnsName: string;
  readonly validForSeconds: number;
}

/** Issues a certificate straight from a private CA, under a key made here: for the ends that ACM does not serve. */
export async function issueDirectly(client: ACMPCAClient, plan: IssuePlan): Promise<IssuedCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${plan.dnsName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: plan.dnsName }])],
  });
  const { CertificateArn } = await client.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: plan.authorityArn,
      Csr: Buffer.from(request.toString('pem')),
      SigningAlgorithm: 'SHA256WITHECDSA',
      Validity: { Type: 'ABSOLUTE', Value: Math.ceil(Date.now() / 1000) + plan.validForSeconds },
    }),
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    chain: await issuedChain(client, plan.authorityArn, CertificateArn ?? ''),
    key: `-----BEGIN PRIVATE KEY-----\n${key.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`,
  };
}

async function issuedChain(
  client: ACMPCAClient,
  authorityArn: string,
  certificateArn: string,
): Promise<string> {
  const deadline = Date.now() + ISSUED_DEADLINE_MS;
  for (;;) {
    try {
      const found = await client.send(
        new GetCertificateCommand({ CertificateAuthorityArn: authorityArn, CertificateArn: certificateArn }),
      );
      return `${found.Certificate?.trim() ?? ''}\n${found.CertificateChain?.trim() ?? ''}\n`;
    } catch (cause) {
      const pending = cause instanceof Error && cause.name === 'RequestInProgressException';
      if (!pending || Date.now() > deadline) throw notIssued(cause);
      await sleep(100);
    }
  }
}

function notIssued(cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CERTIFICATE_NOT_ISSUED',
    message: `the private CA did not issue a certificate: expected one within ${ISSUED_DEADLINE_MS / 1000} s`,
    remedy: 'see the log of the AWS emulator',
    cause,
  });
}

export interface ProbePlan {
  readonly directory: string;
  /** The subordinate that issues the clients' certificates of the mesh. */
  readonly clientsAuthorityArn: string;
  /** A CA that the mesh does not trust; where none is given, what is there of it stays. */
  readonly otherAuthorityArn?: string;
  readonly memberName: string;
  readonly strangerName: string;
}

/** The certificates that every listener has to refuse: see the refusals of `mesh verify`. */
export async function writeProbeCertificates(client: ACMPCAClient, plan: ProbePlan): Promise<void> {
  const day = 86_400;
  const made = {
    ...(plan.otherAuthorityArn === undefined
      ? {}
      : {
          'other-ca': {
            authorityArn: plan.otherAuthorityArn,
            dnsName: plan.memberName,
            validForSeconds: day,
          },
        }),
    'other-name': {
      authorityArn: plan.clientsAuthorityArn,
      dnsName: plan.strangerName,
      validForSeconds: day,
    },
    // Has expired by the time that anybody tries it.
    expired: { authorityArn: plan.clientsAuthorityArn, dnsName: plan.memberName, validForSeconds: 1 },
  };
  await Promise.all(
    Object.entries(made).map(async ([kind, issue]) => {
      await writeIssued(join(plan.directory, kind), await issueDirectly(client, issue));
    }),
  );
}

export async function writeIssued(directory: string, issued: IssuedCertificate): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'chain.pem'), issued.chain, { mode: 0o600 });
  await writeFile(join(directory, 'key.pem'), issued.key, { mode: 0o600 });
}
