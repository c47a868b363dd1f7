import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { SealedLog } from './sealed-log.ts';

export interface FirewallProps {
  readonly name: string;
  /** The load balancer; none for CloudFront, which names the firewall itself. */
  readonly loadBalancerArn?: string;
  /** Whether whoever connects is the caller: behind CloudFront all addresses are CloudFront's. */
  readonly countsAddresses: boolean;
  readonly logDays: number;
  readonly logKeyArn: string;
}

/** Of one address, in five minutes. */
const REQUESTS_AT_MOST = 2_000;

/** Kept by AWS: the common attacks, inputs known to be bad, addresses known to be. */
const MANAGED_RULES = [
  'AWSManagedRulesAmazonIpReputationList',
  'AWSManagedRulesCommonRuleSet',
  'AWSManagedRulesKnownBadInputsRuleSet',
];

/** What is refused before it reaches the load balancer, or CloudFront. Bodies are never logged. */
export class Firewall extends Construct {
  readonly metricName: string;
  readonly arn: string;

  constructor(scope: Construct, props: FirewallProps) {
    super(scope, 'firewall');
    const { loadBalancerArn } = props;
    this.metricName = `${props.name}-firewall`;
    const acl = new CfnWebACL(this, 'acl', {
      name: this.metricName,
      scope: loadBalancerArn === undefined ? 'CLOUDFRONT' : 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible(this.metricName),
      rules: [
        ...(props.countsAddresses ? [rate(props.name)] : []),
        ...MANAGED_RULES.map((name, index) => ({
          name,
          priority: index + 1,
          overrideAction: { none: {} },
          statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
          visibilityConfig: visible(name),
        })),
      ],
    });
    this.arn = acl.attrArn;
    if (loadBalancerArn !== undefined) {
      const resourceArn = loadBalancerArn;
      new CfnWebACLAssociation(this, 'association', { webAclArn: acl.attrArn, resourceArn });
    }
    this.#log(props, acl);
  }

  #log({ name, logDays, logKeyArn }: FirewallProps, acl: CfnWebACL): void {
    const log = new SealedLog(this, 'log', {
      // WAF takes a log of no other prefix.
      name: `aws-waf-logs-${name}`,
      days: logDays,
      keyArn: logKeyArn,
    });
    new CfnLoggingConfiguration(this, 'logging', {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [log.logGroupArn.replace(/:\*$/, '')],
      redactedFields: [
        { singleHeader: { Name: 'authorization' } },
        { singleHeader: { Name: 'cookie' } },
        { queryString: {} },
      ],
    });
  }
}

function rate(name: string): CfnWebACL.RuleProperty {
  return {
    name: 'rate',
    priority: 0,
    action: { block: { customResponse: { responseCode: 429 } } },
    statement: { rateBasedStatement: { limit: REQUESTS_AT_MOST, aggregateKeyType: 'IP' } },
    visibilityConfig: visible(`${name}-rate`),
  };
}

function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}
