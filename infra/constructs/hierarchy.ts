import { Stack } from 'aws-cdk-lib';
import {
  CfnCertificate,
  CfnCertificateAuthority,
  CfnCertificateAuthorityActivation,
  CfnPermission,
} from 'aws-cdk-lib/aws-acmpca';
import { Construct } from 'constructs';
import type { CertificateAuthorityHierarchy, Hierarchy as HierarchyName } from '../../mesh/definition.ts';
import { authorityTags } from '../../pki/authority-tags.ts';

export interface HierarchyProps extends CertificateAuthorityHierarchy {
  readonly meshName: string;
  readonly name: HierarchyName;
  /** Where its CAs write their revocation lists. */
  readonly crlBucketName: string;
  /** Whether it has a CA that signs for seven days at most, too. */
  readonly hasShortLived: boolean;
}

/** One CA, once it can issue. */
export interface ActiveAuthority {
  readonly arn: string;
  /** PEM. */
  readonly certificate: string;
  readonly activation: CfnCertificateAuthorityActivation;
}

/** A list is good for this long; the CA writes the next one at half of it. */
const CRL_DAYS = 7;

/** A root, and the subordinates that issue the leaves: the same CAs as in a run on one machine. */
export class Hierarchy extends Construct {
  readonly root: ActiveAuthority;
  readonly issuing: ActiveAuthority;
  readonly shortLived: ActiveAuthority | undefined;
  readonly #props: HierarchyProps;

  constructor(scope: Construct, props: HierarchyProps) {
    super(scope, props.name);
    this.#props = props;
    const { rootCommonName, subordinateCommonName } = props;
    this.root = this.#authority('root', rootCommonName, 'RootCACertificate/V1', props.rootValidityDays);
    this.issuing = this.#subordinate('issuing', subordinateCommonName);
    new CfnPermission(this, 'acm-may-issue', {
      certificateAuthorityArn: this.issuing.arn,
      principal: 'acm.amazonaws.com',
      actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
    });
    if (props.hasShortLived) {
      const name = `${subordinateCommonName} short-lived`;
      this.shortLived = this.#subordinate('short-lived', name, 'SHORT_LIVED_CERTIFICATE');
    }
  }

  /** Every CA whose certificates may come along in a handshake. */
  get authorities(): readonly ActiveAuthority[] {
    return [this.root, this.issuing, ...(this.shortLived === undefined ? [] : [this.shortLived])];
  }

  #subordinate(id: string, commonName: string, usageMode = 'GENERAL_PURPOSE'): ActiveAuthority {
    const { subordinateValidityDays } = this.#props;
    const template = 'SubordinateCACertificate_PathLen0/V1';
    return this.#authority(id, commonName, template, subordinateValidityDays, usageMode, this.root);
  }

  #authority(
    id: string,
    commonName: string,
    template: string,
    validityDays: number,
    usageMode = 'GENERAL_PURPOSE',
    issuer?: ActiveAuthority,
  ): ActiveAuthority {
    const authority = new CfnCertificateAuthority(this, id, {
      type: issuer === undefined ? 'ROOT' : 'SUBORDINATE',
      usageMode,
      keyAlgorithm: 'EC_prime256v1',
      signingAlgorithm: 'SHA256WITHECDSA',
      subject: { commonName },
      revocationConfiguration: {
        crlConfiguration: {
          enabled: true,
          expirationInDays: CRL_DAYS,
          s3BucketName: this.#props.crlBucketName,
          s3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
        },
      },
      tags: this.#tags,
    });
    const certificate = new CfnCertificate(this, `${id}-certificate`, {
      certificateAuthorityArn: issuer?.arn ?? authority.attrArn,
      certificateSigningRequest: authority.attrCertificateSigningRequest,
      signingAlgorithm: 'SHA256WITHECDSA',
      templateArn: `arn:${Stack.of(this).partition}:acm-pca:::template/${template}`,
      validity: { type: 'DAYS', value: validityDays },
    });
    if (issuer !== undefined) certificate.addResourceDependency(issuer.activation);
    const activation = new CfnCertificateAuthorityActivation(this, `${id}-activation`, {
      certificateAuthorityArn: authority.attrArn,
      certificate: certificate.attrCertificate,
      ...(issuer === undefined ? {} : { certificateChain: issuer.activation.attrCompleteCertificateChain }),
      status: 'ACTIVE',
    });
    return { arn: authority.attrArn, certificate: certificate.attrCertificate, activation };
  }

  /** By which a rollover finds what it is to replace, and the right to revoke ends at the mesh's own CAs. */
  get #tags() {
    const { meshName, name } = this.#props;
    return authorityTags({ mesh: meshName, hierarchy: name, generation: 1 });
  }
}
