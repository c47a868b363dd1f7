/**
 * Every role that acts: one for each node's tasks, each function and each kind of person.
 *
 * Their rights are policies of their own, apart from the roles: the keys' policies name the roles, and the
 * rights name the keys.
 *
 * @module
 */

import { Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  ManagedPolicy,
  Role,
  ServicePrincipal,
  type IPrincipal,
  type PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Mesh } from '../../mesh/definition.ts';
import type { FunctionName } from '../access/arns.ts';
import type { Deployment } from '../config.ts';
import { deployedNodes, networkFunctions } from '../nodes.ts';
import { functionRights } from '../access/function-rights.ts';
import { nodeRights, type KeyArns } from '../access/node-rights.ts';
import { OPERATOR_ROLES, operatorRights, type OperatorRole } from '../access/operator-rights.ts';

const ALWAYS: readonly FunctionName[] = ['exporter', 'renewal', 'crl', 'tenant-keys'];

/** The functions of a deployment; the migrations' only where there is a database. */
type FunctionRoles = Readonly<Record<Exclude<FunctionName, 'migrations'>, Role>> &
  Readonly<Partial<Record<'migrations', Role>>>;

const OPERATORS = Object.keys(OPERATOR_ROLES) as OperatorRole[];

export class Roles extends Construct {
  /** By node: of its sidecar and its app. */
  readonly tasks: Readonly<Record<string, Role>>;
  readonly functions: FunctionRoles;
  readonly operators: Readonly<Record<OperatorRole, Role>>;
  readonly #mesh: Mesh;
  readonly #deployment: Deployment;

  constructor(scope: Construct, mesh: Mesh, deployment: Deployment) {
    super(scope, 'Roles');
    this.#mesh = mesh;
    this.#deployment = deployment;
    const { account, region, partition } = Stack.of(this);
    const tasks = new ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
      },
    });
    this.tasks = this.#make(deployedNodes(mesh, deployment), tasks, (node) => `tasks of ${node}`);
    const functions = [...ALWAYS, ...networkFunctions(deployment)];
    this.functions = this.#make(functions, new ServicePrincipal('lambda.amazonaws.com'), (name) => name);
    const people = new AccountRootPrincipal().withConditions({
      Bool: { 'aws:MultiFactorAuthPresent': 'true' },
    });
    this.operators = this.#make(OPERATORS, people, (name) => OPERATOR_ROLES[name]);
  }

  /** To be called once there are keys. */
  grantRights(keys: KeyArns): void {
    const stack = Stack.of(this);
    for (const [node, role] of Object.entries(this.tasks))
      this.#grant(
        node,
        role,
        nodeRights(stack, node, { mesh: this.#mesh, keys, orderStore: this.#deployment.orderStore }),
      );
    for (const [name, role] of Object.entries(this.functions) as [FunctionName, Role][])
      this.#grant(name, role, functionRights(stack, this.#mesh, name, keys));
    for (const name of OPERATORS)
      this.#grant(name, this.operators[name], operatorRights(stack, this.#mesh, name, keys));
  }

  #make<Name extends string>(
    names: readonly Name[],
    assumedBy: IPrincipal,
    describe: (name: Name) => string,
  ): Record<Name, Role> {
    const entries = names.map((name) => [
      name,
      new Role(this, name, { assumedBy, description: `${this.#mesh.name}: ${describe(name)}` }),
    ]);
    return Object.fromEntries(entries) as Record<Name, Role>;
  }

  #grant(name: string, role: Role, statements: PolicyStatement[]): void {
    new ManagedPolicy(this, `${name}-rights`, { roles: [role], statements });
  }
}
