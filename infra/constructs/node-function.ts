import type { Duration } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function, LoggingFormat, Runtime, type FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { functionLogGroup, functionName, type FunctionName } from '../access/arns.ts';
import type { RegionStack } from '../stacks/region-stack.ts';
import { bundled } from './bundle.ts';
import { SealedLog } from './sealed-log.ts';

export interface NodeFunctionProps {
  readonly name: FunctionName;
  /** The file with the handler, relative to the root of the project. */
  readonly entry: string;
  readonly description: string;
  readonly role: IRole;
  readonly timeout: Duration;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logGroup: LogGroup;
  readonly deadLetterQueue?: IQueue;
  /** Where two functions share name and log. @default that of the name */
  readonly functionName?: string;
  /** @default none: it calls AWS alone */
  readonly network?: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
  /** Beside the bundle: a folder that the function reads, relative to the root of the project. */
  readonly folder?: string;
}

/** A function of the project, as one file that esbuild makes: nothing is installed where it runs. */
export class NodeFunction extends Function {
  constructor(stack: RegionStack, id: string, props: NodeFunctionProps) {
    const { deadLetterQueue, environment, network } = props;
    super(stack, id, {
      functionName: props.functionName ?? functionName(stack.mesh, props.name),
      description: `${stack.mesh.name}: ${props.description}`,
      code: bundled({ entry: props.entry, ...(props.folder === undefined ? {} : { folder: props.folder }) }),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: props.timeout,
      // Its rights are written down in infra/access/: no construct adds to them.
      role: props.role,
      environment: { TOKENMESH_MESH: stack.mesh.name, ...environment },
      logGroup: props.logGroup,
      loggingFormat: LoggingFormat.TEXT,
      ...network,
      ...(deadLetterQueue === undefined ? {} : { deadLetterQueue, retryAttempts: 2 }),
    });
  }
}

export function functionLog(stack: RegionStack, name: FunctionName, operationsKeyArn: string): LogGroup {
  return new SealedLog(stack, `${name}-log`, {
    name: functionLogGroup(stack.mesh, name),
    days: stack.deployment.logDays,
    keyArn: operationsKeyArn,
  });
}
