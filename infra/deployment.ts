import type { App } from 'aws-cdk-lib';
import { TokenmeshError } from '../errors/error.ts';
import type { Mesh } from '../mesh/definition.ts';
import { authenticationOf } from '../mesh/gateway-authentication.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { assertValidMesh } from '../mesh/validate.ts';
import type { Deployment } from './config.ts';
import { deployedMesh } from './nodes.ts';
import { CallersStack } from './stacks/callers-stack.ts';
import { CertificatesStack } from './stacks/certificates-stack.ts';
import { EdgeStack } from './stacks/edge-stack.ts';
import { KeysStack } from './stacks/keys-stack.ts';
import { NetworkStack } from './stacks/network-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';
import { PkiStack } from './stacks/pki-stack.ts';
import { ServicesStack } from './stacks/services-stack.ts';
import { VaultStack } from './stacks/vault-stack.ts';

/** The stacks of one region. */
export interface Region {
  readonly keys: KeysStack;
  /** In the first region alone: the others have replicas of its tables. */
  readonly vault: VaultStack | undefined;
  readonly network: NetworkStack;
  readonly pki: PkiStack;
  readonly certificates: CertificatesStack;
  /** Where a gateway authenticates its callers. */
  readonly callers: CallersStack | undefined;
  /** Where there is a domain. */
  readonly edge: EdgeStack | undefined;
  readonly services: ServicesStack;
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
  return regions;
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
  const vault = primary === undefined ? new VaultStack(app, { ...props, keys: keys.keys, roles }) : undefined;
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
  const services = new ServicesStack(app, {
    ...props,
    keys: keys.keys,
    roles,
    network,
    authorities: pki.shortLivedArns,
    tokenIssuer,
    gatewayTargets: edge?.gatewayTargets,
  });
  services.addStackDependency(certificates);
  services.addStackDependency(vault ?? (primary?.vault as VaultStack));
  const observability = new ObservabilityStack(app, {
    ...props,
    operationsKeyArn: keys.keys.operations,
    certificates,
    services,
    edge,
  });
  return { keys, vault, network, pki, certificates, callers, edge, services, observability };
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
