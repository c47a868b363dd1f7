import { Duration, Size } from 'aws-cdk-lib';
import {
  AvailabilityZoneRebalancing,
  Capability,
  ContainerDependencyCondition,
  CpuArchitecture,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDriver,
  OperatingSystemFamily,
  PropagatedTagSource,
  TmpfsMountOption,
  type ContainerDefinition,
  type Cluster,
} from 'aws-cdk-lib/aws-ecs';
import type { ISecurityGroup, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, type Role } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DnsRecordType, type INamespace } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import { PRIVATE_DIRECTORY, SHARED_DIRECTORY } from '../../mesh/envoy/task-placement.ts';
import type { Program } from '../../sidecar/node-programs.ts';
import type { TaskSize } from '../sizes.ts';
import { PROXY_CONTAINER, type MeshTarget } from '../targets/target.ts';
import { appImage, entryPointOf, healthCommand } from './images.ts';

export interface NodeServiceProps {
  readonly nodeName: string;
  readonly port: number;
  readonly target: MeshTarget;
  /** A gateway has none. */
  readonly app: Program | undefined;
  readonly region: string;
  readonly taskRole: Role;
  readonly size: TaskSize;
  readonly cluster: Cluster;
  readonly namespace: INamespace;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
  readonly logGroup: LogGroup;
}

/** The user of the images, and its group. Both containers have it, so that the sockets between them are theirs alone. */
const USER_ID = 65_532;
const USER = `${USER_ID}:${USER_ID}`;

const SOCKETS = 'sockets';

/** Without an owner it would be root's, and the sidecar has no right to it: ECS passes the options on to mount(8). */
const TMPFS_OPTIONS: readonly unknown[] = [
  TmpfsMountOption.NOSUID,
  TmpfsMountOption.NODEV,
  TmpfsMountOption.NOEXEC,
  `uid=${USER_ID}`,
  `gid=${USER_ID}`,
  'mode=0700',
];

/** The bootstrap, a deny list, sockets: the certificates' keys are in memory and nowhere else. */
const PRIVATE_MEMORY = Size.mebibytes(16);

/** Longer than a sidecar drains. */
const STOP_TIMEOUT = Duration.seconds(30);

/** After a deployment, names of tasks that ended are gone from DNS this fast. */
const DNS_TTL = Duration.seconds(10);

/** The tasks of one node: its proxy, its app, and nothing that is reachable but the proxy's port. */
export class NodeService extends Construct {
  readonly service: FargateService;
  readonly #props: NodeServiceProps;

  constructor(scope: Construct, props: NodeServiceProps) {
    super(scope, props.nodeName);
    this.#props = props;
    const rights = props.target.rightsOf(props.nodeName);
    if (rights.length > 0) {
      new ManagedPolicy(this, 'proxy-rights', { roles: [props.taskRole], statements: [...rights] });
    }
    const task = this.#task();
    const proxy = this.#proxy(task);
    if (props.app !== undefined) {
      this.#app(task, props.app).addContainerDependencies({
        container: proxy,
        condition: ContainerDependencyCondition.HEALTHY,
      });
    }
    this.service = this.#service(task);
    this.#scale();
  }

  #task(): FargateTaskDefinition {
    const { nodeName, size, target, taskRole, app } = this.#props;
    const interception = app === undefined ? undefined : target.interceptionOf?.(nodeName);
    return new FargateTaskDefinition(this, 'task', {
      family: `tokenmesh-${nodeName}`,
      cpu: size.cpu,
      memoryLimitMiB: size.memoryMiB,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      taskRole: taskRole.withoutPolicyUpdates(),
      volumes: [{ name: SOCKETS }],
      ...(interception === undefined ? {} : { proxyConfiguration: interception }),
    });
  }

  #proxy(task: FargateTaskDefinition): ContainerDefinition {
    const { nodeName, target, port } = this.#props;
    const { image, entryPoint, environment, healthCheck, user } = target.proxyOf(nodeName);
    const linuxParameters = hardened(this, 'proxy-linux');
    linuxParameters.addTmpfs({
      containerPath: PRIVATE_DIRECTORY,
      size: PRIVATE_MEMORY.toMebibytes(),
      // CDK names the options alone, and not what they may be set to.
      mountOptions: TMPFS_OPTIONS as TmpfsMountOption[],
    });
    const container = task.addContainer(PROXY_CONTAINER, {
      ...this.#common(),
      image,
      ...(entryPoint === undefined ? {} : { entryPoint: [...entryPoint], command: [] }),
      environment: { ...this.#region(), ...environment },
      healthCheck,
      user: user ?? USER,
      linuxParameters,
      portMappings: [{ containerPort: port, name: nodeName }],
    });
    this.#mountSockets(container);
    return container;
  }

  #app(task: FargateTaskDefinition, program: Program): ContainerDefinition {
    const container = task.addContainer('app', {
      ...this.#common(),
      image: appImage(this.#props.nodeName),
      entryPoint: entryPointOf(program),
      command: [],
      environment: { ...this.#region(), ...program.environment },
      healthCheck: {
        command: healthCommand('runtime/healthcheck.ts'),
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(60),
      },
      user: USER,
      linuxParameters: hardened(this, 'app-linux'),
    });
    this.#mountSockets(container);
    return container;
  }

  #common() {
    const { logGroup } = this.#props;
    return {
      essential: true,
      readonlyRootFilesystem: true,
      stopTimeout: STOP_TIMEOUT,
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: 'task' }),
    };
  }

  #region(): Record<string, string> {
    return { AWS_REGION: this.#props.region };
  }

  #mountSockets(container: ContainerDefinition): void {
    container.addMountPoints({ sourceVolume: SOCKETS, containerPath: SHARED_DIRECTORY, readOnly: false });
  }

  #service(taskDefinition: FargateTaskDefinition): FargateService {
    const { nodeName, cluster, namespace, subnets, securityGroup, size } = this.#props;
    return new FargateService(this, 'service', {
      serviceName: nodeName,
      cluster,
      taskDefinition,
      desiredCount: size.tasksAtLeast,
      platformVersion: FargatePlatformVersion.VERSION1_4,
      vpcSubnets: subnets,
      assignPublicIp: false,
      securityGroups: [securityGroup],
      cloudMapOptions: {
        name: nodeName,
        cloudMapNamespace: namespace,
        dnsRecordType: DnsRecordType.A,
        dnsTtl: DNS_TTL,
      },
      circuitBreaker: { rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      propagateTags: PropagatedTagSource.SERVICE,
      enableExecuteCommand: false,
    });
  }

  #scale(): void {
    const { tasksAtLeast, tasksAtMost } = this.#props.size;
    const scaling = this.service.autoScaleTaskCount({ minCapacity: tasksAtLeast, maxCapacity: tasksAtMost });
    scaling.scaleOnCpuUtilization('cpu', {
      targetUtilizationPercent: 60,
      scaleInCooldown: Duration.minutes(5),
      scaleOutCooldown: Duration.minutes(1),
    });
  }
}

function hardened(scope: Construct, id: string): LinuxParameters {
  const parameters = new LinuxParameters(scope, id, { initProcessEnabled: true });
  parameters.dropCapabilities(Capability.ALL);
  return parameters;
}
