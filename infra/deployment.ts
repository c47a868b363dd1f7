import type { App } from 'aws-cdk-lib';
import { TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { authenticationOf } from '../mesh/gateway-authentication.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { assertValidMesh } from '../mesh/validate.ts';
import type { Deployment } from './config.ts';
import { deployedMesh } from './nodes.ts';
import { BulkStack } from './stacks/bulk-stack.ts';
import { CallersStack } from './stacks/callers-stack.ts';
import { CertificatesStack } from './stacks/certificates-stack.ts';
import { DistributionStack } from './stacks/distribution-stack.ts';
import { EdgeStack } from './stacks/edge-stack.ts';
import { KeysStack } from './stacks/keys-stack.ts';
import { NetworkStack } from './stacks/network-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';
import { OrdersStack } from './stacks/orders-stack.ts';
import { PkiStack } from './stacks/pki-stack.ts';
import { ServicesStack } from './stacks/services-stack.ts';
import { VaultStack } from './stacks/vault-stack.ts';

/** The stacks of one region. */
export interface Region {
  readonly keys: KeysStack;
  readonly vault: VaultStack;
  readonly network: NetworkStack;
  readonly pki: PkiStack;
  readonly certificates: CertificatesStack;
  /** Where a gateway authenticates its callers. */
  readonly callers: CallersStack | undefined;
  /** Where there is a domain. */
  readonly edge: EdgeStack | undefined;
  /** Where the orders are in a database. */
  readonly orders: OrdersStack | undefined;
  readonly services: ServicesStack;
  readonly bulk: BulkStack;
  readonly observability: ObservabilityStack;
}

/** All stacks of a deployment, region by region, in the order in which they are made. */
export function createDeployment(
  app: App,
  deployment: Deployment,
  shipped: Mesh = tokenizationMesh,
): Region[] {
  const mesh = deployedMesh(shipped, deployment);
  assertValidMesh(mesh);
  if (deployment.domain !== undefined && authenticationOf(mesh) === undefined) throw open();
  const regions: Region[] = [];
  for (const region of deployment.regions) {
    regions.push(createRegion(app, { mesh, deployment, region }, regions[0]));
  }
  if (deployment.edgeFunction !== undefined) distribute(app, mesh, deployment, regions);
  return regions;
}

/** CloudFront is of no region, and what belongs to it is made in one: whichever the others are in. */
function distribute(app: App, mesh: Mesh, deployment: Deployment, regions: readonly Region[]): void {
  const { domain, edgeFunction } = deployment;
  if (domain === undefined || edgeFunction === undefined) return;
  const distribution = new DistributionStack(app, { mesh, deployment, domain, edgeFunction });
  for (const { edge } of regions) if (edge !== undefined) distribution.addStackDependency(edge);
}

function createRegion(
  app: App,
  props: { readonly mesh: Mesh; readonly deployment: Deployment; readonly region: string },
  primary: Region | undefined,
): Region {
  const { deployment } = props;
  const keys = new KeysStack(app, {
    ...props,
    ...(primary === undefined ? {} : { primary: primary.keys.keys }),
  });
  const { roles } = keys;
  const vault = new VaultStack(app, { ...props, keys: keys.keys, roles });
  const network = new NetworkStack(app, { ...props, keys: keys.keys });
  const pki = new PkiStack(app, { ...props, secretsKeyArn: keys.keys.secrets, roles });
  const certificates = new CertificatesStack(app, { ...props, keys: keys.keys, roles, pki });
  const authentication = authenticationOf(props.mesh);
  const callers =
    authentication === undefined ? undefined : new CallersStack(app, { ...props, authentication });
  const tokenIssuer = callers?.tokenIssuer;
  const { domain } = deployment;
  const edge =
    domain === undefined || tokenIssuer === undefined
      ? undefined
      : new EdgeStack(app, {
          ...props,
          network,
          domain,
          tokenIssuer,
          operationsKeyArn: keys.keys.operations,
        });
  const orders =
    deployment.orderStore === 'mysql'
      ? new OrdersStack(app, { ...props, keys: keys.keys, roles, network })
      : undefined;
  const services = new ServicesStack(app, {
    ...props,
    keys: keys.keys,
    roles,
    network,
    authorities: pki.shortLivedArns,
    tokenIssuer,
    gatewayTargets: edge?.gatewayTargets,
    orderDatabase: orders?.database,
  });
  services.addStackDependency(certificates);
  // Its tables and users have to be there.
  if (orders !== undefined) services.addStackDependency(orders);
  services.addStackDependency(vault);
  // Its replicas of the tables that all share are made there.
  if (primary !== undefined) services.addStackDependency(primary.vault);
  const bulk = new BulkStack(app, { ...props, keys: keys.keys, roles, network });
  // Its certificate has to be there, and somebody who answers.
  bulk.addStackDependency(services);
  const observability = new ObservabilityStack(app, {
    ...props,
    operationsKeyArn: keys.keys.operations,
    certificates,
    services,
    bulk,
    edge,
    orders,
  });
  return { keys, vault, network, pki, certificates, callers, edge, orders, services, bulk, observability };
}

/** A gateway that lets anybody in is none to be had from the internet. */
function open(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_DEPLOYMENT_INVALID',
    message:
      'the deployment cannot be made: domain: expected none, since no gateway of the definition authenticates its callers',
    remedy: 'add authentication to the gateway in the definition, or deploy without a domain',
  });
}
