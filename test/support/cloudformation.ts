/**
 * CloudFormation emulated (ministack), for the tests of one file: real stacks of synthesized templates.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { request } from 'undici';
import { freePort } from '../../local/free-port.ts';
import { ACCOUNT, REGION, type Template } from './synthesized.ts';

const START_DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 100;

export interface MadeStack {
  readonly status: string;
  readonly created: number;
  /** Types of resources that the emulator does not know; they were left out. */
  readonly lacking: readonly string[];
  readonly leftOut: number;
  /** Of each resource that could not be made. */
  readonly failures: readonly string[];
}

export interface EmulatedCloudFormation {
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  deploy(stackName: string, template: Template): Promise<MadeStack>;
  /** @returns The id of a hosted zone of that name. */
  hostedZone(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param bin - Where the Python environment has its programs. */
export async function startCloudFormation(bin: string): Promise<EmulatedCloudFormation> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(`${bin}/ministack`, [], {
    env: { PATH: process.env['PATH'], BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port) },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await untilAnswers(endpoint);
  const clientConfig = {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'emulated' },
  };
  const client = new CloudFormationClient(clientConfig);
  await put(endpoint, '');
  return {
    clientConfig,
    async deploy(stackName, template) {
      const lacking = await lackingTypes(client, template, await uploaded(endpoint, stackName, template));
      const gone = new Set(
        Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) =>
          lacking.has(Type) || isOfSeveralMetrics(Type, Properties) ? [id] : [],
        ),
      );
      await make(client, stackName, await uploaded(endpoint, stackName, without(template, gone)));
      const { StackResources = [] } = await client.send(
        new DescribeStackResourcesCommand({ StackName: stackName }),
      );
      return {
        status: await settled(client, stackName),
        created: StackResources.filter(({ ResourceStatus }) => ResourceStatus === 'CREATE_COMPLETE').length,
        lacking: [...lacking].toSorted(),
        leftOut: gone.size,
        failures: await failuresOf(client, stackName),
      };
    },
    async hostedZone(name) {
      const { body } = await request(`${endpoint}/2013-04-01/hostedzone`, {
        method: 'POST',
        headers: { authorization: authorizationOf('route53') },
        body: `<CreateHostedZoneRequest><Name>${name}</Name><CallerReference>test</CallerReference></CreateHostedZoneRequest>`,
      });
      return /<Id>\/hostedzone\/(\w+)<\/Id>/.exec(await body.text())?.[1] ?? '';
    },
    async stop() {
      client.destroy();
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilAnswers(endpoint: string): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      const { body } = await request(`${endpoint}/_ministack/health`);
      await body.dump();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** What the emulator says that it cannot make. A custom resource is a function of ours, whose code is not there. */
async function lackingTypes(
  client: CloudFormationClient,
  template: Template,
  TemplateURL: string,
): Promise<ReadonlySet<string>> {
  const custom = Object.values(template.Resources)
    .map(({ Type }) => Type)
    .filter((type) => type.startsWith('Custom::'));
  try {
    await client.send(new ValidateTemplateCommand({ TemplateURL }));
    return new Set(custom);
  } catch (error) {
    const [, list] = /Unrecognized resource types: \[([^\]]+)\]/.exec(String(error)) ?? [];
    if (list === undefined) throw error;
    return new Set([...custom, ...list.split(', ')]);
  }
}

/** An alarm of unusual numbers compares a metric with the band of another: the emulator knows alarms of one. */
function isOfSeveralMetrics(type: string, properties: Readonly<Record<string, unknown>> = {}): boolean {
  return type === 'AWS::CloudWatch::Alarm' && 'Metrics' in properties;
}

/** A template of more than 51,200 bytes has to lie in S3, where `cdk deploy` puts every one. @returns Its URL. */
async function uploaded(endpoint: string, stackName: string, template: Template): Promise<string> {
  return await put(endpoint, `/${stackName}.json`, JSON.stringify(template));
}

/** Puts an object into the bucket of the templates; the bucket itself without a path. */
async function put(endpoint: string, path: string, text = ''): Promise<string> {
  const url = `${endpoint}/templates${path}`;
  const headers = { authorization: authorizationOf('s3') };
  const { statusCode, body } = await request(url, { method: 'PUT', headers, body: text });
  const answer = await body.text();
  if (statusCode !== 200) throw new Error(`expected 200 of ${url}, got ${statusCode}: ${answer}`);
  return url;
}

/** The emulator reads the account from it, and no signature. */
function authorizationOf(service: string): string {
  return `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20260101/${REGION}/${service}/aws4_request`;
}

async function make(client: CloudFormationClient, StackName: string, TemplateURL: string): Promise<void> {
  await client.send(
    new CreateStackCommand({ StackName, TemplateURL, Capabilities: ['CAPABILITY_NAMED_IAM'] }),
  );
  await settled(client, StackName);
}

async function settled(client: CloudFormationClient, StackName: string): Promise<string> {
  for (;;) {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    const status = Stacks[0]?.StackStatus ?? 'absent';
    if (!status.endsWith('IN_PROGRESS')) return status;
    await sleep(LOOK_EVERY_MS);
  }
}

async function failuresOf(client: CloudFormationClient, StackName: string): Promise<string[]> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.filter(({ ResourceStatus = '' }) => ResourceStatus === 'CREATE_FAILED').map(
    ({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`,
  );
}

/**
 * The template without some resources: what refers to them is given an ARN that leads nowhere. The version
 * of the bootstrap stack is CDK's to ask for, and there is none.
 */
function without(template: Template, gone: ReadonlySet<string>): Template {
  const { Resources, Outputs = {}, Mappings = {} } = template;
  const kept = Object.fromEntries(
    Object.entries(Resources)
      .filter(([id]) => !gone.has(id))
      .map(([id, { DependsOn, ...resource }]) => [
        id,
        { ...resource, DependsOn: [DependsOn ?? []].flat().filter((each) => !gone.has(each)) },
      ]),
  );
  return filled({ Mappings, Resources: kept, Outputs }, gone) as Template;
}

function filled(value: unknown, gone: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => filled(each, gone));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: reference, 'Fn::GetAtt': attribute } = value as {
    Ref?: string;
    'Fn::GetAtt'?: [string, string];
  };
  const id = reference ?? attribute?.[0];
  if (id !== undefined && gone.has(id)) return `arn:aws:absent:${REGION}:${ACCOUNT}:absent/${id}`;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, gone)]));
}
