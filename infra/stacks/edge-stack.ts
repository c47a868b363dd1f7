import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationProtocolVersion,
  ApplicationTargetGroup,
  ListenerAction,
  ListenerCondition,
  Protocol,
  SslPolicy,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { ARecord, HostedZone, RecordTarget, type IHostedZone } from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import type { PublicDomain } from '../config.ts';
import { Firewall } from '../constructs/firewall.ts';
import { PUBLIC, type NetworkStack } from './network-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface EdgeProps extends RegionProps {
  readonly network: NetworkStack;
  readonly domain: PublicDomain;
  readonly tokenIssuer: TokenIssuer;
  readonly operationsKeyArn: string;
}

const HTTPS = 443;

/** Where CloudFront finds the load balancers. */
export function originHost({ name }: PublicDomain): string {
  return `origin.${name}`;
}

/** What callers outside reach: a load balancer that asks for a token, behind a firewall. It reaches the gateway alone. */
export class EdgeStack extends RegionStack {
  readonly gatewayTargets: ApplicationTargetGroup;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly firewall: Firewall;

  constructor(scope: Construct, props: EdgeProps) {
    super(scope, 'edge', 'load balancer, firewall', props);
    const { network, domain } = props;
    const zone = HostedZone.fromHostedZoneAttributes(this, 'zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.name,
    });
    this.loadBalancer = this.#loadBalancer(network);
    this.gatewayTargets = this.#targets(network);
    this.#listen(domain, zone, props.tokenIssuer);
    this.firewall = new Firewall(this, {
      name: this.mesh.name,
      loadBalancerArn: this.loadBalancer.loadBalancerArn,
      countsAddresses: this.deployment.edgeFunction === undefined,
      logDays: this.deployment.logDays,
      logKeyArn: props.operationsKeyArn,
    });
    new ARecord(this, 'record', {
      zone,
      recordName: `${this.#host(domain)}.`,
      target: RecordTarget.fromAlias(
        new LoadBalancerTarget(this.loadBalancer, { evaluateTargetHealth: this.#isOneOfSeveral }),
      ),
      // A caller is led to the region that is nearest, of those whose gateway answers.
      ...(this.#isOneOfSeveral ? { region: this.regionName, setIdentifier: this.regionName } : {}),
    });
    new CfnOutput(this, 'url', { value: `https://${this.#host(domain)}` });
  }

  get #isOneOfSeveral(): boolean {
    return this.deployment.regions.length > 1;
  }

  /** CloudFront has the domain's own name, where it stands before. */
  #host(domain: PublicDomain): string {
    return this.deployment.edgeFunction === undefined ? domain.name : originHost(domain);
  }

  #loadBalancer(network: NetworkStack): ApplicationLoadBalancer {
    const loadBalancer = new ApplicationLoadBalancer(this, 'load-balancer', {
      vpc: network.vpc,
      vpcSubnets: { subnetGroupName: PUBLIC },
      internetFacing: true,
      securityGroup: SecurityGroup.fromSecurityGroupId(this, 'group', network.edgeGroup.securityGroupId, {
        mutable: false,
      }),
      dropInvalidHeaderFields: true,
      deletionProtection: this.deployment.data === 'keep',
    });
    loadBalancer.logAccessLogs(this.#logBucket());
    return loadBalancer;
  }

  /** A load balancer writes to a bucket with S3's own key alone. */
  #logBucket(): Bucket {
    return new Bucket(this, 'access-logs', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [{ expiration: Duration.days(this.deployment.logDays) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** A gateway refuses whoever shows no token: that it refuses says that its Envoy is up. */
  #targets(network: NetworkStack): ApplicationTargetGroup {
    const port = Object.values(this.mesh.virtualGateways)[0]?.listener.port ?? 0;
    return new ApplicationTargetGroup(this, 'gateway', {
      vpc: network.vpc,
      port,
      protocol: ApplicationProtocol.HTTPS,
      protocolVersion: ApplicationProtocolVersion.HTTP1,
      targetType: TargetType.IP,
      deregistrationDelay: Duration.seconds(30),
      healthCheck: {
        protocol: Protocol.HTTPS,
        path: '/',
        healthyHttpCodes: '401',
        interval: Duration.seconds(10),
        healthyThresholdCount: 2,
      },
    });
  }

  #listen(domain: PublicDomain, zone: IHostedZone, { issuer, keys }: TokenIssuer): void {
    const forward = ListenerAction.forward([this.gatewayTargets]);
    const listener = this.loadBalancer.addListener('https', {
      port: HTTPS,
      protocol: ApplicationProtocol.HTTPS,
      open: false,
      // What CloudFront is told to use of its origin has no word for TLS 1.3.
      sslPolicy: this.deployment.edgeFunction === undefined ? SslPolicy.TLS13_13 : SslPolicy.TLS13_RES,
      certificates: [
        new Certificate(this, 'certificate', {
          domainName: this.#host(domain),
          validation: CertificateValidation.fromDns(zone),
          keyAlgorithm: KeyAlgorithm.EC_PRIME256V1,
        }),
      ],
      defaultAction: ListenerAction.authenticateJwt({
        issuer,
        jwksEndpoint: `https://${keys.host}${keys.path}`,
        next: forward,
      }),
    });
    // A browser asks before it sends its token: the gateway answers for the origins of the definition.
    listener.addAction('questions', {
      priority: 1,
      conditions: [ListenerCondition.httpRequestMethods(['OPTIONS'])],
      action: forward,
    });
  }
}
