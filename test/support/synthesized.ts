/**
 * A deployment as CDK writes it down, with what its templates leave open filled in.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { readDeployment } from '../../infra/config.ts';
import { createDeployment } from '../../infra/deployment.ts';
import { judge } from '../../infra/validations.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  /** With references resolved: ARNs and names as they would be. */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever CloudFormation takes
  readonly properties: any;
  readonly deletionPolicy: string | undefined;
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: string | string[];
}

export interface Template {
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, RawResource>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { Name: string } }>
  >;
}

export interface Options {
  /** Has cdk-nag judge it, and CDK's own validation: some seconds. @default false */
  readonly judged?: boolean;
  readonly mesh?: Mesh;
}

/** What `-c` would say; the account is always said. */
export function synthesize(
  context: Readonly<Record<string, string>> = {},
  options: Options = {},
): Synthesized {
  const { judged = false, mesh = tokenizationMesh } = options;
  const outdir = mkdtempSync(join(tmpdir(), 'tokenmesh-synth-'));
  const flags = (
    JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'cdk.json'), 'utf8')) as {
      context: Record<string, unknown>;
    }
  ).context;
  const all = { ...flags, account: ACCOUNT, ...context };
  try {
    const app = new App({
      outdir,
      context: { ...all, 'aws:cdk:bundling-stacks': [], 'aws:cdk:disable-asset-staging': true },
      builtinCloudFormationValidation: judged,
    });
    createDeployment(app, readDeployment(all), mesh);
    if (judged) judge(app);
    const { stacks } = app.synth();
    const messages = stacks.flatMap((stack) => stack.messages.map(({ entry }) => JSON.stringify(entry.data)));
    return new Synthesized(
      new Map(stacks.map((each) => [each.stackName, each.template as Template])),
      messages,
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

export class Synthesized {
  readonly templates: ReadonlyMap<string, Template>;
  /** What the synthesis said beside. */
  readonly messages: readonly string[];
  readonly resources: readonly Resource[];

  constructor(templates: ReadonlyMap<string, Template>, messages: readonly string[]) {
    this.templates = templates;
    this.messages = messages;
    this.resources = [...templates].flatMap(([stack, { Resources }]) =>
      Object.entries(Resources).map(([id, resource]) => ({
        stack,
        id,
        type: resource.Type,
        properties: this.resolve(stack, resource.Properties ?? {}),
        deletionPolicy: resource.DeletionPolicy,
      })),
    );
  }

  ofType(type: string): Resource[] {
    return this.resources.filter((each) => each.type === type);
  }

  /** Throws unless there is exactly one. */
  one(type: string, fits: (resource: Resource) => boolean): Resource {
    const found = this.ofType(type).filter(fits);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`expected one ${type}, found ${found.length} of ${this.ofType(type).length}`);
    }
    return found[0];
  }

  /** Replaces `Ref`, `Fn::GetAtt`, `Fn::Join` and imports; what cannot be known stays a name that says so. */
  resolve(stack: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.resolve(stack, each));
    if (typeof value !== 'object' || value === null) return value;
    const [entry] = Object.entries(value);
    if (entry !== undefined && Object.keys(value).length === 1) {
      const resolved = this.#intrinsic(stack, entry[0], entry[1]);
      if (resolved !== undefined) return resolved;
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.resolve(stack, each)]));
  }

  #intrinsic(stack: string, name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#reference(stack, String(argument));
      case 'Fn::GetAtt':
        return this.#attribute(stack, argument as [string, string]);
      case 'Fn::ImportValue':
        return this.#imported(String(argument));
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        const resolved = this.resolve(stack, parts);
        return Array.isArray(resolved) ? resolved.map(String).join(separator) : undefined;
      }
      case 'Fn::Split': {
        const [separator, text] = argument as [string, unknown];
        return String(this.resolve(stack, text)).split(separator);
      }
      case 'Fn::Select': {
        const [index, list] = argument as [number, unknown];
        const resolved = this.resolve(stack, list);
        return Array.isArray(resolved) ? resolved[index] : undefined;
      }
      default:
        return undefined;
    }
  }

  #reference(stack: string, id: string): string {
    const pseudo: Record<string, string> = {
      'AWS::AccountId': ACCOUNT,
      'AWS::Region': REGION,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
    };
    if (pseudo[id] !== undefined) return pseudo[id];
    return arnOf(this.templates.get(stack)?.Resources[id], id) ?? id;
  }

  #attribute(stack: string, [id, attribute]: [string, string]): string {
    const resource = this.templates.get(stack)?.Resources[id];
    return attribute === 'Arn' ? (arnOf(resource, id) ?? `${id}.Arn`) : `${id}.${attribute}`;
  }

  #imported(name: string): unknown {
    for (const [stack, { Outputs = {} }] of this.templates) {
      const found = Object.values(Outputs).find((each) => each.Export?.Name === name);
      if (found !== undefined) return this.resolve(stack, found.Value);
    }
    return undefined;
  }
}

/** ARNs of the form that each service gives, with the logical id for what the service would make up. */
function arnOf(resource: RawResource | undefined, id: string): string | undefined {
  const make: Readonly<Record<string, string>> = {
    'AWS::KMS::Key': `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`,
    'AWS::IAM::Role': `arn:aws:iam::${ACCOUNT}:role/${id}`,
    'AWS::ACMPCA::CertificateAuthority': `arn:aws:acm-pca:${REGION}:${ACCOUNT}:certificate-authority/${id}`,
  };
  return resource === undefined ? undefined : make[resource.Type];
}
