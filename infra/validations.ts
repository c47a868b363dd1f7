/**
 * What judges the templates, and the findings that are meant to be so: each with its reason.
 *
 * @module
 */

import { CfnResource, Stack, Token, Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, PCIDSS321Checks } from 'cdk-nag';

export interface Acknowledgement {
  /** A rule, or one finding of it; `<account>` and `<region>` stand for the stack's. */
  readonly rule: string;
  /** Paths of the resources that it is about. */
  readonly where: RegExp;
  readonly reason: string;
}

const BULK_RESULTS = 'arn:aws:s3:::tokenmesh-bulk-results-<account>-<region>/loads/*';
const ACM = 'arn:aws:acm:<region>:<account>:certificate/*';
const LOGS = 'arn:aws:logs:<region>:<account>:log-group:/tokenmesh/functions';

export const ACKNOWLEDGEMENTS: readonly Acknowledgement[] = [
  {
    rule: 'AwsSolutions-IAM5[Resource::arn:aws:s3:::tokenmesh-crls-<account>-<region>/crl/*]',
    where: /Roles\/[a-z-]+-rights/,
    reason:
      'Each CA writes a list under its own id: a sidecar reads those of all CAs, which are public anyway.',
  },
  ...['exporter', 'renewal', 'crl', 'tenant-keys', 'bulk', 'migrations'].map((name) => ({
    rule: `AwsSolutions-IAM5[Resource::${LOGS}/${name}:*]`,
    where: new RegExp(`Roles/${name}-rights`),
    reason: "The function's own log group: Lambda names the streams in it.",
  })),
  {
    rule: `AwsSolutions-IAM5[Resource::${BULK_RESULTS}]`,
    where: /Roles\/(bulk|loader)-rights/,
    reason: 'Each load has results under an id of its own, which is random: there is no other name to give.',
  },
  {
    rule: 'AwsSolutions-IAM5[Resource::*]',
    where: /Roles\/(bulk|migrations)-rights/,
    reason:
      'Lambda makes the interfaces of a function in a VPC and takes no narrower resource; its code is denied the same actions.',
  },
  {
    rule: `AwsSolutions-IAM5[Resource::${ACM}]`,
    where: /Roles\/(exporter|renewal|certificates)-rights/,
    reason:
      "A certificate that replaces another has another ARN. To export and to renew, the mesh's tag is a condition; to look at one is how its tags are learnt.",
  },
  {
    rule: 'AwsSolutions-IAM5[Resource::*]',
    where: /Roles\/(exporter|renewal)-rights/,
    reason: 'acm:ListCertificates and secretsmanager:GetRandomPassword have no resource in IAM.',
  },
  {
    rule: 'AwsSolutions-IAM5[Resource::arn:aws:acm-pca:<region>:<account>:certificate-authority/*]',
    where: /Roles\/certificates-rights/,
    reason: "A rollover makes new CAs; the mesh's tag is a condition.",
  },
  {
    rule: 'AwsSolutions-IAM5[Resource::*]',
    where: /ExecutionRole\/DefaultPolicy/,
    reason: 'ecr:GetAuthorizationToken has no resource in IAM.',
  },
  {
    rule: 'PCI.DSS.321-IAMNoInlinePolicy',
    where: /(ExecutionRole|IAMRole)\/DefaultPolicy/,
    reason: 'Of a role that CDK makes for one task or flow log: the policy is of no use to any other role.',
  },
  {
    rule: 'AwsSolutions-EC23',
    where: /network-[\w-]+\/edge-group/,
    reason: 'The load balancer is for callers anywhere, on 443 alone, behind the firewall.',
  },
  {
    rule: 'PCI.DSS.321-VPCNoUnrestrictedRouteToIGW',
    where: /publicSubnet/,
    reason: 'The subnets of the load balancer and the NAT gateway; no task is in them.',
  },
  {
    rule: 'AwsSolutions-SMG4',
    where: /pki|certificates/,
    reason:
      'The renewal function replaces certificate and passphrase at each renewal; trust and deny list are changed by the operator, and are no credentials.',
  },
  {
    rule: 'AwsSolutions-ECS2',
    where: /\/task\/Resource/,
    reason: 'The environment holds names, paths and ARNs; no secret is in it, which a test holds.',
  },
  {
    rule: 'PCI.DSS.321-LambdaInsideVPC',
    where: /(tenant-keys|exporter|renewal|crl|first-export)\/Resource/,
    reason:
      'These functions call AWS alone, by its public endpoints over TLS, and see no value of the vault.',
  },
  ...['AwsSolutions-S1', 'PCI.DSS.321-S3BucketLoggingEnabled'].flatMap((rule) => [
    {
      rule,
      where: /pki-[\w-]+\/crls/,
      reason: 'Revocation lists are published for everybody to read; CloudTrail has who writes.',
    },
    {
      rule,
      where: /access-logs/,
      reason: 'The bucket holds access logs: a log of the log would have no end.',
    },
  ]),
  {
    rule: 'AwsSolutions-IAM5[Resource::arn:aws:logs:*:<account>:log-group:/aws/lambda/us-east-1.tokenmesh-edge:*]',
    where: /distribution-[\w-]+\/function-rights/,
    reason: 'Lambda@Edge writes its log in the region that is nearest to the caller, whichever that is.',
  },
  {
    rule: 'AwsSolutions-L1',
    where: /distribution-[\w-]+\/function\/Resource/,
    reason: 'Lambda@Edge takes new runtimes later than Lambda; this one is kept until 2027.',
  },
  {
    rule: 'PCI.DSS.321-LambdaInsideVPC',
    where: /distribution-[\w-]+\/function\/Resource/,
    reason: 'A function at the edge can be in no VPC; it calls nobody.',
  },
  {
    rule: 'AwsSolutions-CFR1',
    where: /distribution-[\w-]+\/distribution\/Resource/,
    reason: 'Callers are anywhere; who may call is said by their tokens.',
  },
  {
    rule: 'AwsSolutions-RDS11',
    where: /orders-[\w-]+\/instance/,
    reason:
      'A security group lets two apps and the migrations connect, and nobody else: another port would hide nothing.',
  },
  ...['audit', 'general'].map((log) => ({
    rule: `PCI.DSS.321-RDSLoggingEnabled[LogExport::${log}]`,
    where: /orders-[\w-]+\/instance/,
    reason:
      "Either would hold every statement, of tokens alone: who saw a card's number is in the audit of the vault (docs/audit.md).",
  })),
  ...['AwsSolutions-S1', 'PCI.DSS.321-S3BucketLoggingEnabled'].map((rule) => ({
    rule,
    where: /bulk-[\w-]+\/results/,
    reason:
      'Row numbers and tokens are in it for thirty days; CloudTrail has each use of the key that they are under.',
  })),
  {
    rule: 'PCI.DSS.321-S3BucketReplicationEnabled',
    where: /bulk-[\w-]+\/results/,
    reason: 'Results that are lost are made again from the file: mesh load <file> --resend.',
  },
  {
    rule: 'PCI.DSS.321-S3BucketReplicationEnabled',
    where: /crls|access-logs/,
    reason:
      'A CA writes its list anew when one is missing; access logs are of the load balancer of this region.',
  },
  {
    rule: 'PCI.DSS.321-S3DefaultEncryptionKMS',
    where: /crls|access-logs/,
    reason:
      'Revocation lists are public. A load balancer writes its log under S3\'s own key and under no other (Elastic Load Balancing, "Access logs").',
  },
];

/** Has every template judged while it is made: a finding that is not acknowledged fails the synthesis. */
export function judge(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new PCIDSS321Checks(app));
  for (const construct of app.node.findAll()) {
    if (!CfnResource.isCfnResource(construct)) continue;
    for (const { rule, where, reason } of ACKNOWLEDGEMENTS) {
      if (!where.test(construct.node.path)) continue;
      Validations.of(construct).acknowledge({ id: inStack(rule, Stack.of(construct)), reason });
    }
  }
}

function inStack(rule: string, { account, region }: Stack): string {
  return rule
    .replaceAll('<account>', Token.isUnresolved(account) ? '<AWS::AccountId>' : account)
    .replaceAll('<region>', region);
}
