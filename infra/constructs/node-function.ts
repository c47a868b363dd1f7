import { join } from 'node:path';
import { AssetHashType, DockerImage, type Duration } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { buildSync } from 'esbuild';
import { functionLogGroup, functionName, type FunctionName } from '../access/arns.ts';
import type { RegionStack } from '../stacks/region-stack.ts';
import { SealedLog } from './sealed-log.ts';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

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
}

/** A function of the project, as one file that esbuild makes: nothing is installed where it runs. */
export class NodeFunction extends Function {
  constructor(stack: RegionStack, id: string, props: NodeFunctionProps) {
    const { deadLetterQueue, environment } = props;
    super(stack, id, {
      functionName: props.functionName ?? functionName(stack.mesh, props.name),
      description: `${stack.mesh.name}: ${props.description}`,
      code: bundled(props.entry),
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
      ...(deadLetterQueue === undefined ? {} : { deadLetterQueue, retryAttempts: 2 }),
    });
  }
}

/** In this process: what starts `cdk` may have npx set up so that it starts nothing else. */
function bundled(entry: string): Code {
  return Code.fromAsset(PROJECT_ROOT, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('none: esbuild does it'),
      // Runs nowhere: CDK takes two bundles for one where all of this is the same.
      command: ['esbuild', entry],
      local: {
        tryBundle(outputDirectory) {
          buildSync({
            entryPoints: [join(PROJECT_ROOT, entry)],
            outfile: join(outputDirectory, 'index.mjs'),
            bundle: true,
            platform: 'node',
            target: 'node24',
            format: 'esm',
            sourcemap: true,
            logLevel: 'warning',
            // Some packages are CommonJS inside and ask for `require`.
            banner: { js: REQUIRE },
          });
          return true;
        },
      },
    },
  });
}

const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

export function functionLog(stack: RegionStack, name: FunctionName, operationsKeyArn: string): LogGroup {
  return new SealedLog(stack, `${name}-log`, {
    name: functionLogGroup(stack.mesh, name),
    days: stack.deployment.logDays,
    keyArn: operationsKeyArn,
  });
}
