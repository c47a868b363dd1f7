import { CfnOutput, Fn } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { certificateSourceOf, hasShortLived } from '../../mesh/certificate-source.ts';
import type { Hierarchy as HierarchyName } from '../../mesh/definition.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, hierarchyOf } from '../../mesh/identity.ts';
import { authoritiesSecretName, denyListSecretName, EMPTY_DENY_LIST } from '../../pki/revocation.ts';
import { trustSecretName } from '../../pki/secret.ts';
import { ISSUER_TEMPLATES } from '../../sidecar/envoy/adapters/private-ca-issuer.ts';
import { crlBucketName } from '../access/arns.ts';
import { allow } from '../access/statements.ts';
import { WRITTEN_BY_ACL } from '../constructs/bucket-written-by-acl.ts';
import { Hierarchy, type ActiveAuthority } from '../constructs/hierarchy.ts';
import type { Roles } from '../constructs/roles.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface PkiProps extends RegionProps {
  readonly secretsKeyArn: string;
  readonly roles: Roles;
}

/** Two hierarchies of CAs, what peers trust of them, and where their revocation lists are. */
export class PkiStack extends RegionStack {
  readonly hierarchies: Readonly<Record<HierarchyName, Hierarchy>>;
  readonly #bucket: Bucket;

  constructor(scope: Construct, props: PkiProps) {
    super(scope, 'pki', 'private CAs, trust, revocation', props);
    this.#bucket = this.#crlBucket();
    this.hierarchies = { clients: this.#hierarchy('clients'), servers: this.#hierarchy('servers') };
    const secret = (id: string, name: string, secretString: string): void => {
      new CfnSecret(this, id, { name, secretString, kmsKeyId: props.secretsKeyArn });
    };
    for (const name of HIERARCHIES) {
      const { root } = this.hierarchies[name];
      secret(`trust-${name}`, trustSecretName(this.mesh.name, name), root.certificate);
      new CfnOutput(this, `${name}-root`, { value: root.arn });
    }
    secret('authorities', authoritiesSecretName(this.mesh.name), this.#listing());
    secret('deny-list', denyListSecretName(this.mesh.name), JSON.stringify(EMPTY_DENY_LIST));
    this.#letIssue(props.roles);
  }

  /** ARNs of the CAs that sign for a week at most, where a node has its own certificates signed. */
  get shortLivedArns(): Readonly<Record<HierarchyName, string>> | undefined {
    const { clients, servers } = this.hierarchies;
    if (clients.shortLived === undefined || servers.shortLived === undefined) return undefined;
    return { clients: clients.shortLived.arn, servers: servers.shortLived.arn };
  }

  #hierarchy(name: HierarchyName): Hierarchy {
    const hierarchy = new Hierarchy(this, {
      ...this.mesh.hierarchies[name],
      meshName: this.mesh.name,
      name,
      crlBucketName: this.#bucket.bucketName,
      hasShortLived: hasShortLived(this.mesh),
    });
    // A CA tries to write to the bucket when it is made.
    if (this.#bucket.policy !== undefined) hierarchy.node.addDependency(this.#bucket.policy);
    return hierarchy;
  }

  #crlBucket(): Bucket {
    const bucket = new Bucket(this, 'crls', {
      bucketName: crlBucketName(this, this.mesh),
      ...WRITTEN_BY_ACL,
      removalPolicy: this.removalPolicy,
    });
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AuthoritiesWriteTheirLists',
        principals: [new ServicePrincipal('acm-pca.amazonaws.com')],
        actions: ['s3:PutObject', 's3:PutObjectAcl', 's3:GetBucketAcl', 's3:GetBucketLocation'],
        resources: [bucket.bucketArn, bucket.arnForObjects('crl/*')],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    return bucket;
  }

  /** As `pki/revocation.ts` reads it. A certificate has line breaks, which a JSON text has as backslash and n. */
  #listing(): string {
    const entry = ({ arn, certificate }: ActiveAuthority): string => {
      const pem = Fn.join('\\n', Fn.split('\n', certificate));
      const key = Fn.join('', ['crl/', Fn.select(1, Fn.split('/', arn)), '.crl']);
      return `{"certificate":"${pem}","crl":{"bucket":"${this.#bucket.bucketName}","key":"${key}"}}`;
    };
    const lists = HIERARCHIES.map(
      (name) => `"${name}":[${this.hierarchies[name].authorities.map(entry).join(',')}]`,
    );
    return `{${lists.join(',')}}`;
  }

  /** IAM can limit the template and not the name: docs/decisions/0014-short-lived-certificates.md. */
  #letIssue(roles: Roles): void {
    const arns = this.shortLivedArns;
    if (arns === undefined) return;
    for (const [node, role] of Object.entries(roles.tasks)) {
      if (certificateSourceOf(this.mesh, node).kind !== 'short-lived') continue;
      const statements = CERTIFICATE_ROLES.map((side) =>
        allow(
          `IssueAs${side === 'client' ? 'Client' : 'Server'}`,
          ['acm-pca:IssueCertificate'],
          [arns[hierarchyOf(side)]],
          {
            StringEquals: { 'acm-pca:TemplateArn': ISSUER_TEMPLATES[side] },
          },
        ),
      );
      const collect = allow('Collect', ['acm-pca:GetCertificate'], Object.values(arns));
      new ManagedPolicy(this, `${node}-issues`, { roles: [role], statements: [...statements, collect] });
    }
  }
}
