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
  type IPeer,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { Construct } from 'constructs';
import { hasShortLived } from '../../mesh/certificate-source.ts';
import { edgesOf, memberOf } from '../../mesh/edges.ts';
import { bulkResultsArns, crlObjectsArn, expiryIndexArn, tableArn } from '../access/arns.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { SealedLog } from '../constructs/sealed-log.ts';
import { deployedNodes, deployedTables, networkFunctions } from '../nodes.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface NetworkProps extends RegionProps {
  readonly keys: KeyArns;
}

const HTTPS = 443;

export const ORDER_DATABASE_PORT = 3306;

const ORDER_DATABASE_CALLERS = ['order', 'paybill', 'migrations'];

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
  /** Of the functions in the VPC. */
  readonly functionGroups: Readonly<Record<string, SecurityGroup>>;
  /** Of the database, where the orders are in one. */
  readonly databaseGroup: SecurityGroup | undefined;
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
    this.edgeGroup = this.#group(
      'edge',
      'the load balancer: HTTPS from callers outside, to the gateway alone',
    );
    const nodes = deployedNodes(this.mesh, this.deployment);
    this.nodeGroups = Object.fromEntries(
      nodes.map((node) => [
        node,
        this.#group(node, `tasks of ${node}: those who call it in the mesh, alone`),
      ]),
    );
    this.functionGroups = Object.fromEntries(
      networkFunctions(this.deployment).map((name) => [
        name,
        this.#group(name, `the function ${name}, which nobody calls`),
      ]),
    );
    this.databaseGroup =
      this.deployment.orderStore === 'mysql'
        ? this.#group('database', 'the database of the orders: its apps and its migrations, alone')
        : undefined;
    this.#letEdgesThrough(nodes);
    this.#letFunctionsThrough();
    this.#letIntoDatabase();
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
    this.edgeGroup.addIngressRule(this.#outside(), Port.tcp(HTTPS), 'callers outside');
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

  /** Where CloudFront encrypts, nobody may come past it. */
  #outside(): IPeer {
    const { edgeFunction, regions } = this.deployment;
    const prefixList = edgeFunction?.prefixLists[regions.indexOf(this.regionName)];
    return prefixList === undefined ? Peer.anyIpv4() : Peer.prefixList(prefixList);
  }

  #letThrough(from: SecurityGroup, fromName: string, to: string): void {
    const provider = this.nodeGroups[to];
    const port = Port.tcp(memberOf(this.mesh, to)?.listener.port ?? 0);
    if (provider === undefined) return;
    provider.addIngressRule(from, port, `${fromName} calls ${to}`);
    from.addEgressRule(provider, port, `${fromName} calls ${to}`);
  }

  /** As the definition says which functions call whom. */
  #letFunctionsThrough(): void {
    for (const [name, { backends }] of Object.entries(this.mesh.functions)) {
      const caller = this.functionGroups[name];
      for (const backend of backends) {
        const provider = this.mesh.virtualServices[backend]?.provider;
        if (caller !== undefined && provider !== undefined) this.#letThrough(caller, name, provider);
      }
    }
  }

  #letIntoDatabase(): void {
    const database = this.databaseGroup;
    if (database === undefined) return;
    const callers = { ...this.nodeGroups, ...this.functionGroups };
    for (const name of ORDER_DATABASE_CALLERS) {
      const caller = callers[name];
      if (caller === undefined) continue;
      database.addIngressRule(caller, Port.tcp(ORDER_DATABASE_PORT), `${name} reads or writes orders`);
      caller.addEgressRule(database, Port.tcp(ORDER_DATABASE_PORT), `${name} reads or writes orders`);
    }
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
    for (const [name, caller] of Object.entries({ ...this.nodeGroups, ...this.functionGroups })) {
      group.addIngressRule(caller, Port.tcp(HTTPS), `${name} calls AWS`);
      caller.addEgressRule(group, Port.tcp(HTTPS), `${name} calls AWS`);
    }
    this.#gateways(nodes);
  }

  /** DynamoDB and S3 are reached by routes: their addresses are AWS's own, so a group can name no other than all. */
  #gateways(nodes: readonly string[]): void {
    const stores = {
      dynamodb: GatewayVpcEndpointAwsService.DYNAMODB,
      s3: GatewayVpcEndpointAwsService.S3,
    };
    const tables = deployedTables(this.deployment).map((role) => tableArn(this, role));
    const results = bulkResultsArns(this, this.mesh);
    const rights = {
      dynamodb: [this.#forThisAccount(['dynamodb:*'], [...tables, expiryIndexArn(this)])],
      s3: [
        this.#forThisAccount(['s3:GetObject'], [crlObjectsArn(this, this.mesh)]),
        this.#forLayersOfImages(),
        this.#forThisAccount(['s3:GetObject', 's3:PutObject'], [results.objects]),
        this.#forThisAccount(['s3:ListBucket'], [results.bucket]),
      ],
    };
    for (const name of ['dynamodb', 's3'] as const) {
      const endpoint = this.vpc.addGatewayEndpoint(`${name}-endpoint`, { service: stores[name] });
      for (const statement of rights[name]) endpoint.addToPolicy(statement);
    }
    const inside = nodes.filter((each) => !this.callsOutside(each)).map((node) => this.nodeGroups[node]);
    for (const group of [...inside, this.functionGroups['bulk']]) {
      group?.addEgressRule(Peer.anyIpv4(), Port.tcp(HTTPS), 'DynamoDB and S3, by their routes');
    }
  }

  /**
   * A registry hands out URLs that an account of ECR's own has signed: a condition on the caller's account would
   * refuse every image (Amazon ECR User Guide, "Minimum Amazon S3 Bucket Permissions for Amazon ECR").
   */
  #forLayersOfImages(): PolicyStatement {
    return new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions: ['s3:GetObject'],
      resources: [`arn:${this.partition}:s3:::prod-${this.region}-starport-layer-bucket/*`],
    });
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
