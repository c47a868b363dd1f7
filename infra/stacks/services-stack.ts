import { Annotations, CfnOutput } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { EventBus } from 'aws-cdk-lib/aws-events';
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { edgesOf, memberOf } from '../../mesh/edges.ts';
import type { Hierarchy } from '../../mesh/definition.ts';
import { taskPlacement } from '../../mesh/envoy/task-placement.ts';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import { EVENT_BUS } from '../../sidecar/event-bus.ts';
import { appProgram, type OrderDatabase, type Program } from '../../sidecar/node-programs.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { NodeService } from '../constructs/node-service.ts';
import type { Roles } from '../constructs/roles.ts';
import { SealedLog } from '../constructs/sealed-log.ts';
import { deployedNodes } from '../nodes.ts';
import { taskSize } from '../sizes.ts';
import { AppMeshTarget } from '../targets/app-mesh.ts';
import { envoyTarget } from '../targets/envoy.ts';
import type { MeshTarget } from '../targets/target.ts';
import { CLOSED, OUTGOING, type NetworkStack } from './network-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface ServicesProps extends RegionProps {
  readonly keys: KeyArns;
  readonly roles: Roles;
  readonly network: NetworkStack;
  /** CAs that sign for short lives, where a node has its own certificates signed. */
  readonly authorities: Readonly<Record<Hierarchy, string>> | undefined;
  /** Of the tokens that callers outside show to a gateway. */
  readonly tokenIssuer: TokenIssuer | undefined;
  /** Where the orders are in one. */
  readonly orderDatabase: OrderDatabase | undefined;
  /** Where the load balancer finds the gateway. */
  readonly gatewayTargets: ApplicationTargetGroup | undefined;
}

/** The nodes of the mesh, on Fargate. */
export class ServicesStack extends RegionStack {
  readonly target: MeshTarget;
  readonly services: Readonly<Record<string, NodeService>>;
  readonly logGroups: Readonly<Record<string, LogGroup>>;
  readonly cluster: Cluster;
  readonly #props: ServicesProps;

  constructor(scope: Construct, props: ServicesProps) {
    super(scope, 'services', 'the nodes of the mesh', props);
    this.#props = props;
    this.target =
      this.deployment.target === 'app-mesh'
        ? new AppMeshTarget(this, this.mesh)
        : envoyTarget(this.mesh, props);
    this.#tellGaps();
    this.cluster = new Cluster(this, 'cluster', {
      clusterName: this.mesh.name,
      vpc: props.network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    new EventBus(this, 'events', {
      eventBusName: EVENT_BUS,
      description: 'what becomes of tokens, without any value',
    });
    const nodes = deployedNodes(this.mesh, this.deployment);
    this.logGroups = Object.fromEntries(nodes.map((node) => [node, this.#log(node)]));
    this.services = Object.fromEntries(nodes.map((node) => [node, this.#node(node)]));
    this.#startProvidersFirst();
    this.#attachGateway();
    new CfnOutput(this, 'cluster-name', { value: this.cluster.clusterName });
  }

  #node(nodeName: string): NodeService {
    const { network, roles } = this.#props;
    const group = network.nodeGroups[nodeName];
    const taskRole = roles.tasks[nodeName];
    const logGroup = this.logGroups[nodeName];
    const port = memberOf(this.mesh, nodeName)?.listener.port;
    if (group === undefined || taskRole === undefined || logGroup === undefined || port === undefined) {
      throw new Error(`expected a network, a role and a log of ${nodeName}`);
    }
    return new NodeService(this, {
      nodeName,
      port,
      target: this.target,
      app: this.#appOf(nodeName),
      region: this.regionName,
      taskRole,
      size: taskSize(this.deployment.size, nodeName),
      cluster: this.cluster,
      namespace: network.namespace,
      subnets: { subnetGroupName: network.callsOutside(nodeName) ? OUTGOING : CLOSED },
      // Its rules follow from the definition, in the network's stack: no construct adds to them.
      securityGroup: SecurityGroup.fromSecurityGroupId(this, `${nodeName}-group`, group.securityGroupId, {
        mutable: false,
      }),
      logGroup,
    });
  }

  #appOf(nodeName: string): Program | undefined {
    const { appSocket, egressSocket } = taskPlacement(this.mesh, nodeName);
    if (appSocket === undefined) return undefined;
    const { orderDatabase, keys } = this.#props;
    const { vault: vaultKeyArn, audit: auditKeyArn, marks: markKeyArns } = keys;
    const otherRegions = this.deployment.regions.filter((region) => region !== this.regionName);
    return appProgram({
      ...{ nodeName, appSocket, egressSocket, vaultKeyArn, auditKeyArn, markKeyArns },
      ...{ orderDatabase, otherRegions, eventBusName: EVENT_BUS },
    });
  }

  #log(nodeName: string): LogGroup {
    return new SealedLog(this, `${nodeName}-log`, {
      name: `/${this.mesh.name}/nodes/${nodeName}`,
      days: this.deployment.logDays,
      keyArn: this.#props.keys.operations,
    });
  }

  /** A gateway proves its certificate to a backend: that has to be there first. */
  #startProvidersFirst(): void {
    for (const { from, to } of edgesOf(this.mesh)) {
      const provider = to === undefined ? undefined : this.services[to];
      if (provider !== undefined) this.services[from]?.service.node.addDependency(provider.service);
    }
  }

  #attachGateway(): void {
    const { gatewayTargets } = this.#props;
    for (const name of Object.keys(this.mesh.virtualGateways)) {
      if (gatewayTargets !== undefined)
        this.services[name]?.service.attachToApplicationTargetGroup(gatewayTargets);
    }
  }

  #tellGaps(): void {
    const { notice, gaps } = this.target;
    if (notice === undefined) return;
    const annotations = Annotations.of(this);
    annotations.addWarningV2('tokenmesh:target-ended', notice);
    for (const [index, { what, where, consequence }] of gaps.entries()) {
      annotations.addWarningV2(
        `tokenmesh:target-gap-${index + 1}`,
        `not expressed: ${what} (${where.join(', ')}): ${consequence}`,
      );
    }
  }
}
