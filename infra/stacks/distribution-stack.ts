import { ArnFormat, CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  LambdaEdgeEventType,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { CompositePrincipal, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function, Runtime, type CfnFunction, type IVersion } from 'aws-cdk-lib/aws-lambda';
import { ARecord, HostedZone, RecordTarget, type IHostedZone } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { readEdgeConfig, type EdgeSettings } from '../../edge/config.ts';
import { ORDER_ROUTES } from '../../edge/order-routes.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { vaultAccessOf } from '../../mesh/vault-access.ts';
import { allow } from '../access/statements.ts';
import type { Deployment, EdgeFunctionChoice, PublicDomain } from '../config.ts';
import { Alarms, alarmTopic, FIVE_MINUTES } from '../constructs/alarms.ts';
import { WRITTEN_BY_ACL } from '../constructs/bucket-written-by-acl.ts';
import { bundled } from '../constructs/bundle.ts';
import { Firewall } from '../constructs/firewall.ts';
import { operationsKeyPolicy } from '../constructs/key-policies.ts';
import { SealedLog } from '../constructs/sealed-log.ts';
import { originHost } from './edge-stack.ts';
import { RegionStack } from './region-stack.ts';

export interface DistributionProps {
  readonly mesh: Mesh;
  readonly deployment: Deployment;
  readonly domain: PublicDomain;
  readonly edgeFunction: EdgeFunctionChoice;
}

/** Where AWS wants what belongs to CloudFront: functions, certificates, firewalls. */
const REGION = 'us-east-1';

/** The function at the edge and CloudFront, which hands it each request before the load balancers see it. */
export class DistributionStack extends RegionStack {
  constructor(scope: Construct, props: DistributionProps) {
    super(scope, 'distribution', 'encryption at the edge: CloudFront, its function, its firewall', {
      ...props,
      region: REGION,
    });
    const { domain } = props;
    const key = this.#key();
    const zone = HostedZone.fromHostedZoneAttributes(this, 'zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.name,
    });
    const firewall = new Firewall(this, {
      name: `${this.mesh.name}-edge`,
      countsAddresses: true,
      logDays: this.deployment.logDays,
      logKeyArn: key.keyArn,
    });
    const distribution = this.#distribution(props, { zone, firewall, key });
    new ARecord(this, 'record', {
      zone,
      recordName: `${domain.name}.`,
      target: RecordTarget.fromAlias(new CloudFrontTarget(distribution)),
    });
    this.#watch(key, distribution, firewall);
    new CfnOutput(this, 'url', { value: `https://${domain.name}` });
  }

  /** Of logs and alarms alone. */
  #key(): IKey {
    const key = new Key(this, 'key', {
      description: `${this.mesh.name}: encrypts logs and alarms of the edge`,
      policy: operationsKeyPolicy(this),
      enableKeyRotation: true,
      removalPolicy: this.removalPolicy,
    });
    new Alias(this, 'key-alias', { aliasName: `alias/${this.mesh.name}-distribution`, targetKey: key });
    return key;
  }

  #distribution(
    props: DistributionProps,
    { zone, firewall, key }: { zone: IHostedZone; firewall: Firewall; key: IKey },
  ): Distribution {
    const { domain } = props;
    return new Distribution(this, 'distribution', {
      comment: `${this.mesh.name}: encrypts fields before they reach a server`,
      domainNames: [domain.name],
      certificate: new Certificate(this, 'certificate', {
        domainName: domain.name,
        validation: CertificateValidation.fromDns(zone),
        keyAlgorithm: KeyAlgorithm.EC_PRIME256V1,
      }),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_3_2025,
      httpVersion: HttpVersion.HTTP2_AND_3,
      webAclId: firewall.arn,
      enableLogging: true,
      logBucket: this.#logBucket(),
      logIncludesCookies: false,
      defaultBehavior: {
        origin: new HttpOrigin(originHost(domain), {
          protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [OriginSslPolicy.TLS_V1_2],
        }),
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        // Nothing of it is for a cache; and an origin is proven by its own name, not by the caller's.
        cachePolicy: CachePolicy.CACHING_DISABLED,
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        compress: false,
        edgeLambdas: [
          {
            eventType: LambdaEdgeEventType.ORIGIN_REQUEST,
            functionVersion: this.#function(props, key),
            includeBody: true,
          },
        ],
      },
    });
  }

  /** As docs/edge.md has it: no environment, so the bundler puts the settings in. */
  #function({ edgeFunction }: DistributionProps, key: IKey): IVersion {
    const functionName = `${this.mesh.name}-edge`;
    const logName = `/aws/lambda/${REGION}.${functionName}`;
    const settings = JSON.stringify(settingsOf(this.mesh, edgeFunction));
    readEdgeConfig(settings);
    const edge = new Function(this, 'function', {
      functionName,
      description: `${this.mesh.name}: encrypts fields of requests at the edge`,
      code: bundled({
        entry: 'edge/handler.ts',
        options: {
          // The parser's other form cannot be bundled.
          mainFields: ['module', 'main'],
          target: 'node22',
          define: { 'process.env.TOKENMESH_EDGE_SETTINGS': JSON.stringify(settings) },
        },
      }),
      handler: 'index.handler',
      // Of all runtimes and architectures these are what Lambda@Edge has taken for long.
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.X86_64,
      memorySize: 512,
      timeout: Duration.seconds(5),
      role: this.#role(logName),
      logGroup: new SealedLog(this, 'function-log', {
        name: logName,
        days: this.deployment.logDays,
        keyArn: key.keyArn,
      }),
      // Its replicas go hours after CloudFront let go of it, and until then it cannot be deleted.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    // Lambda@Edge takes no choice of a log: it writes to one of that name in whichever region it runs.
    (edge.node.defaultChild as CfnFunction).addPropertyDeletionOverride('LoggingConfig');
    return edge.currentVersion;
  }

  /** It may write its log, in whichever region it runs, and nothing else. */
  #role(logName: string) {
    const role = new Role(this, 'function-role', {
      description: `${this.mesh.name}: the function at the edge`,
      assumedBy: new CompositePrincipal(
        new ServicePrincipal('lambda.amazonaws.com'),
        new ServicePrincipal('edgelambda.amazonaws.com'),
      ),
    });
    const ofAnyRegion = this.formatArn({
      service: 'logs',
      region: '*',
      resource: 'log-group',
      resourceName: `${logName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    new ManagedPolicy(this, 'function-rights', {
      roles: [role],
      statements: [
        allow(
          'WriteLog',
          ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
          [ofAnyRegion],
        ),
      ],
    });
    return role.withoutPolicyUpdates();
  }

  /** CloudFront writes its log by an ACL, as one of the bucket's owners. */
  #logBucket(): Bucket {
    return new Bucket(this, 'access-logs', {
      ...WRITTEN_BY_ACL,
      lifecycleRules: [{ expiration: Duration.days(this.deployment.logDays) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #watch(key: IKey, distribution: Distribution, firewall: Firewall): void {
    const alarms = new Alarms(this, alarmTopic(this, `${this.mesh.name}-edge-alarms`, key));
    alarms.when('edge-failed', {
      metric: new Metric({
        namespace: 'AWS/CloudFront',
        metricName: '5xxErrorRate',
        dimensionsMap: { DistributionId: distribution.distributionId, Region: 'Global' },
        statistic: Stats.AVERAGE,
        period: FIVE_MINUTES,
      }),
      over: 5,
      periods: 2,
      meaning:
        'More than 5 % of the requests fail at the edge or behind it: see the log of the function in the region next to the callers. docs/edge.md',
    });
    alarms.when('edge-firewall-blocks', {
      metric: new Metric({
        namespace: 'AWS/WAFV2',
        metricName: 'BlockedRequests',
        dimensionsMap: { WebACL: firewall.metricName, Rule: 'ALL' },
        statistic: Stats.SUM,
        period: FIVE_MINUTES,
      }),
      over: 1_000,
      meaning:
        'The firewall of CloudFront blocks many requests: see which rule and which addresses in its log',
    });
  }
}

/** Values become the order app's: marks open for its tenant alone. */
function settingsOf(mesh: Mesh, { key }: EdgeFunctionChoice): EdgeSettings {
  const tenant = vaultAccessOf(mesh, 'order')?.tenants[0] ?? '';
  return { ...key, tenant, routes: ORDER_ROUTES };
}
