import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { Construct } from 'constructs';
import { hasShortLived } from '../../mesh/certificate-source.ts';
import { edgesOf, memberOf } from '../../mesh/edges.ts';
import { TABLES } from '../../sidecar/tables.ts';
import { crlObjectsArn, expiryIndexArn, tableArn } from '../access/arns.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { SealedLog } from '../constructs/sealed-log.ts';
import { deployedNodes } from '../nodes.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface NetworkProps extends RegionProps {
  readonly keys: KeyArns;
}

const HTTPS = 443;

/** Subnets whose tasks reach the mesh and the endpoints, and nothing outside. */
export const CLOSED = 'closed';
/** Subnets of the nodes that call a service outside the mesh. */
export const OUTGOING = 'outgoing';
/** Subnets of the load balancer. */
export const PUBLIC = 'public';

/** The VPC, the endpoints of every AWS service that a task uses, and a security group for each node. */
export class NetworkStack extends RegionStack {
  readonly vpc: Vpc;
  readonly namespace: PrivateDnsNamespace;
  readonly nodeGroups: Readonly<Record<string, SecurityGroup>>;
  /** Of the load balancer. */
  readonly edgeGroup: SecurityGroup;

  constructor(scope: Construct, props: NetworkProps) {
    super(scope, 'network', 'VPC, endpoints, security groups', props);
    this.vpc = this.#vpc(props.keys);
    this.namespace = new PrivateDnsNamespace(this, 'namespace', {
      name: `${this.mesh.name}.internal`,
      vpc: this.vpc,
      description: 'the names under which the nodes find each other, and which they prove to have',
    });
    this.edgeGroup = this.#group('edge', 'the load balancer: HTTPS from anywhere, to the gateway alone');
    const nodes = deployedNodes(this.mesh, this.deployment);
    this.nodeGroups = Object.fromEntries(
      nodes.map((node) => [
        node,
        this.#group(node, `tasks of ${node}: those who call it in the mesh, alone`),
      ]),
    );
    this.#letEdgesThrough(nodes);
    this.#endpoints(nodes);
  }

  /** Whether a node calls somebody outside the mesh, or fetches the keys of its callers' tokens: it alone is in subnets with a way out. */
  callsOutside(node: string): boolean {
    return (
      this.#checksTokens(node) ||
      edgesOf(this.mesh).some((edge) => edge.from === node && edge.to === undefined)
    );
  }

  #checksTokens(node: string): boolean {
    return this.mesh.virtualGateways[node]?.authentication !== undefined;
  }

  #vpc(keys: KeyArns): Vpc {
    const vpc = new Vpc(this, 'vpc', {
      ipAddresses: IpAddresses.cidr('10.64.0.0/16'),
      natGateways: 1,
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [
        { name: CLOSED, subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 },
        { name: OUTGOING, subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
        { name: PUBLIC, subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      ],
    });
    vpc.addFlowLog('flows', {
      destination: FlowLogDestination.toCloudWatchLogs(
        new SealedLog(this, 'flow-log', {
          name: `/${this.mesh.name}/flows`,
          days: this.deployment.logDays,
          keyArn: keys.operations,
        }),
      ),
      trafficType: FlowLogTrafficType.REJECT,
    });
    return vpc;
  }

  #group(name: string, description: string): SecurityGroup {
    return new SecurityGroup(this, `${name}-group`, { vpc: this.vpc, description, allowAllOutbound: false });
  }

  /** As the definition says who calls whom; nothing else opens a port. */
  #letEdgesThrough(nodes: readonly string[]): void {
    this.edgeGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(HTTPS), 'callers outside');
    for (const name of Object.keys(this.mesh.virtualGateways)) {
      this.#letThrough(this.edgeGroup, 'the load balancer', name);
      if (!this.#checksTokens(name)) continue;
      this.nodeGroups[name]?.addEgressRule(
        Peer.anyIpv4(),
        Port.tcp(HTTPS),
        "the keys of its callers' tokens",
      );
    }
    for (const { from, to } of edgesOf(this.mesh)) {
      const caller = this.nodeGroups[from];
      if (caller === undefined) continue;
      if (to === undefined)
        caller.addEgressRule(Peer.anyIpv4(), Port.tcp(HTTPS), 'a service outside the mesh');
      else if (nodes.includes(to)) this.#letThrough(caller, from, to);
    }
  }

  #letThrough(from: SecurityGroup, fromName: string, to: string): void {
    const provider = this.nodeGroups[to];
    const port = Port.tcp(memberOf(this.mesh, to)?.listener.port ?? 0);
    if (provider === undefined) return;
    provider.addIngressRule(from, port, `${fromName} calls ${to}`);
    from.addEgressRule(provider, port, `${fromName} calls ${to}`);
  }

  #endpoints(nodes: readonly string[]): void {
    const group = this.#group('endpoints', 'endpoints of AWS services: the tasks alone');
    const interfaces = {
      secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      kms: InterfaceVpcEndpointAwsService.KMS,
      logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
      events: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
      registry: InterfaceVpcEndpointAwsService.ECR,
      images: InterfaceVpcEndpointAwsService.ECR_DOCKER,
      ...(hasShortLived(this.mesh)
        ? { authorities: InterfaceVpcEndpointAwsService.PRIVATE_CERTIFICATE_AUTHORITY }
        : {}),
    };
    for (const [name, service] of Object.entries(interfaces)) {
      const endpoint = new InterfaceVpcEndpoint(this, `${name}-endpoint`, {
        vpc: this.vpc,
        service,
        privateDnsEnabled: true,
        open: false,
        subnets: { subnetGroupName: CLOSED },
        securityGroups: [group],
      });
      endpoint.addToPolicy(this.#forThisAccount());
    }
    for (const node of nodes) {
      const caller = this.nodeGroups[node];
      if (caller === undefined) continue;
      group.addIngressRule(caller, Port.tcp(HTTPS), `${node} calls AWS`);
      caller.addEgressRule(group, Port.tcp(HTTPS), `${node} calls AWS`);
    }
    this.#gateways(nodes);
  }

  /** DynamoDB and S3 are reached by routes: their addresses are AWS's own, so a group can name no other than all. */
  #gateways(nodes: readonly string[]): void {
    const stores = {
      dynamodb: GatewayVpcEndpointAwsService.DYNAMODB,
      s3: GatewayVpcEndpointAwsService.S3,
    };
    const tables = (Object.keys(TABLES) as (keyof typeof TABLES)[]).map((role) => tableArn(this, role));
    const layers = `arn:${this.partition}:s3:::prod-${this.region}-starport-layer-bucket/*`;
    const rights = {
      dynamodb: this.#forThisAccount(['dynamodb:*'], [...tables, expiryIndexArn(this)]),
      s3: this.#forThisAccount(['s3:GetObject'], [crlObjectsArn(this, this.mesh), layers]),
    };
    for (const name of ['dynamodb', 's3'] as const) {
      const endpoint = this.vpc.addGatewayEndpoint(`${name}-endpoint`, { service: stores[name] });
      endpoint.addToPolicy(rights[name]);
    }
    for (const node of nodes.filter((each) => !this.callsOutside(each))) {
      this.nodeGroups[node]?.addEgressRule(
        Peer.anyIpv4(),
        Port.tcp(HTTPS),
        'DynamoDB and S3, by their routes',
      );
    }
  }

  #forThisAccount(actions: string[] = ['*'], resources: string[] = ['*']): PolicyStatement {
    return new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions,
      resources,
      conditions: { StringEquals: { 'aws:PrincipalAccount': this.account } },
    });
  }
}
