/**
 * The definition as resources of AWS App Mesh, in its own vocabulary.
 *
 * AWS ended App Mesh on 2026-09-30: what is rendered here can be read, tested and compared, and no account
 * can make it any more.
 *
 * @module
 */

import { Duration } from 'aws-cdk-lib';
import {
  AccessLog,
  Backend as MeshBackend,
  GatewayRouteSpec,
  HttpGatewayRoutePathMatch,
  HttpRouteMethod,
  HttpRoutePathMatch,
  Mesh as AppMesh,
  MeshFilterType,
  RouteSpec,
  ServiceDiscovery,
  SubjectAlternativeNames,
  TlsCertificate,
  TlsMode,
  TlsValidationTrust,
  VirtualGateway,
  VirtualGatewayListener,
  VirtualNode,
  VirtualNodeListener,
  VirtualRouter,
  VirtualRouterListener,
  VirtualService,
  VirtualServiceProvider,
  type ListenerTlsOptions,
  type TlsClientPolicy,
} from 'aws-cdk-lib/aws-appmesh';
import { AppMeshProxyConfiguration, ContainerImage, type ProxyConfiguration } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Backend, Listener, Mesh, Operation } from '../../mesh/definition.ts';
import { trustSecret } from '../../mesh/envoy/sds.ts';
import { pathRegex } from '../../mesh/envoy/rbac.ts';
import { identityOf, memberNames } from '../../mesh/identity.ts';
import { appMeshGaps, APP_MESH_ENDED } from './app-mesh-gaps.ts';
import { PROXY_CONTAINER, type MeshTarget, type ProxyContainer } from './target.ts';

/** The last that AWS made for App Mesh. */
const ENVOY_IMAGE = 'public.ecr.aws/appmesh/aws-appmesh-envoy:v1.34.13.0-prod';
const ENVOY_UID = '1337';
const WEB_CAS = '/etc/pki/tls/certs/ca-bundle.crt';
const HTTPS = 443;

export class AppMeshTarget extends Construct implements MeshTarget {
  readonly name = 'app-mesh';
  readonly notice = APP_MESH_ENDED;
  readonly gaps;
  readonly #mesh: Mesh;
  readonly #arns = new Map<string, string>();

  constructor(scope: Construct, mesh: Mesh) {
    super(scope, 'app-mesh');
    this.#mesh = mesh;
    this.gaps = appMeshGaps(mesh);
    const appMesh = new AppMesh(this, 'mesh', {
      meshName: mesh.name,
      egressFilter: MeshFilterType.DROP_ALL,
    });
    const nodes = new Map(Object.keys(mesh.virtualNodes).map((name) => [name, this.#node(appMesh, name)]));
    const services = new Map([...this.#services(appMesh, nodes), ...this.#externals(appMesh)]);
    for (const [name, node] of nodes) {
      for (const backend of mesh.virtualNodes[name]?.backends ?? []) {
        const service = services.get(backend.virtualService);
        if (service !== undefined) node.addBackend(this.#backend(service, backend));
      }
    }
    for (const name of Object.keys(mesh.virtualGateways)) this.#gateway(appMesh, name, services);
  }

  proxyOf(nodeName: string): ProxyContainer {
    return {
      image: ContainerImage.fromRegistry(ENVOY_IMAGE),
      environment: { APPMESH_RESOURCE_ARN: this.#arns.get(nodeName) ?? '', ENVOY_LOG_LEVEL: 'warn' },
      healthCheck: {
        command: ['CMD-SHELL', 'curl -s http://localhost:9901/server_info | grep state | grep -q LIVE'],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(30),
      },
      user: ENVOY_UID,
    };
  }

  rightsOf(nodeName: string): readonly PolicyStatement[] {
    const resources = [this.#arns.get(nodeName) ?? ''];
    return [new PolicyStatement({ actions: ['appmesh:StreamAggregatedResources'], resources })];
  }

  interceptionOf(nodeName: string): ProxyConfiguration {
    return new AppMeshProxyConfiguration({
      containerName: PROXY_CONTAINER,
      properties: {
        appPorts: [this.#mesh.virtualNodes[nodeName]?.listener.port ?? 0],
        proxyIngressPort: 15_000,
        proxyEgressPort: 15_001,
        ignoredUID: Number(ENVOY_UID),
        egressIgnoredIPs: ['169.254.170.2', '169.254.169.254'],
      },
    });
  }

  #node(mesh: AppMesh, name: string): VirtualNode {
    const listener = this.#mesh.virtualNodes[name]?.listener;
    if (listener === undefined) throw new Error(`expected a listener of ${name}`);
    const node = new VirtualNode(this, name, {
      mesh,
      virtualNodeName: name,
      serviceDiscovery: ServiceDiscovery.dns(identityOf(this.#mesh, name)),
      listeners: [
        VirtualNodeListener.http2({
          port: listener.port,
          timeout: { perRequest: Duration.seconds(this.#mesh.requestTimeoutSeconds) },
          ...this.#listenerTls(listener),
        }),
      ],
      accessLog: AccessLog.fromFilePath('/dev/stdout'),
    });
    this.#arns.set(name, node.virtualNodeArn);
    return node;
  }

  /** A service answers through a router, whose routes are the operations of its node. */
  #services(mesh: AppMesh, nodes: ReadonlyMap<string, VirtualNode>): [string, VirtualService][] {
    return Object.entries(this.#mesh.virtualServices).map(([name, { provider }]) => {
      const listener = this.#mesh.virtualNodes[provider]?.listener;
      const virtualNode = nodes.get(provider);
      if (listener === undefined || virtualNode === undefined) throw new Error(`expected a node ${provider}`);
      const router = new VirtualRouter(this, `${name}-router`, {
        mesh,
        virtualRouterName: name,
        listeners: [VirtualRouterListener.http2(listener.port)],
      });
      for (const [priority, operation] of listener.operations.entries()) {
        router.addRoute(routeName(operation), {
          routeSpec: RouteSpec.http2({
            priority,
            match: { path: routePath(operation), method: HttpRouteMethod[operation.method] },
            weightedTargets: [{ virtualNode }],
            timeout: { perRequest: Duration.seconds(this.#mesh.requestTimeoutSeconds) },
          }),
        });
      }
      const virtualServiceProvider = VirtualServiceProvider.virtualRouter(router);
      const virtualServiceName = identityOf(this.#mesh, provider);
      return [
        name,
        new VirtualService(this, `${name}-service`, { virtualServiceName, virtualServiceProvider }),
      ];
    });
  }

  /** Not of the mesh: found by its own name, and proven under the CAs of the web. */
  #externals(mesh: AppMesh): [string, VirtualService][] {
    return Object.entries(this.#mesh.externalServices).map(([name, { hostname }]) => {
      const node = new VirtualNode(this, `${name}-external`, {
        mesh,
        virtualNodeName: `${name}-external`,
        serviceDiscovery: ServiceDiscovery.dns(hostname),
        listeners: [VirtualNodeListener.http({ port: HTTPS })],
      });
      const virtualServiceProvider = VirtualServiceProvider.virtualNode(node);
      return [
        name,
        new VirtualService(this, `${name}-service`, { virtualServiceName: hostname, virtualServiceProvider }),
      ];
    });
  }

  #gateway(mesh: AppMesh, name: string, services: ReadonlyMap<string, VirtualService>): void {
    const definition = this.#mesh.virtualGateways[name];
    if (definition === undefined) return;
    const gateway = new VirtualGateway(this, name, {
      mesh,
      virtualGatewayName: name,
      listeners: [
        VirtualGatewayListener.http2({
          port: definition.listener.port,
          ...this.#listenerTls(definition.listener),
        }),
      ],
      backendDefaults: {
        tlsClientPolicy: this.#clientPolicy(identitiesOf(this.#mesh, definition.backends), true),
      },
      accessLog: AccessLog.fromFilePath('/dev/stdout'),
    });
    this.#arns.set(name, gateway.virtualGatewayArn);
    for (const operation of definition.listener.operations) {
      const routeTarget = services.get(operation.virtualService);
      if (routeTarget === undefined) continue;
      gateway.addGatewayRoute(routeName(operation), {
        routeSpec: GatewayRouteSpec.http2({
          routeTarget,
          match: { path: gatewayPath(operation), method: HttpRouteMethod[operation.method] },
        }),
      });
    }
  }

  #listenerTls(listener: Pick<Listener, 'tls'>): { tls?: ListenerTlsOptions } {
    const { mode, clientValidation } = listener.tls;
    if (mode === 'DISABLED') return {};
    const trust = clientValidation?.trust;
    return {
      tls: {
        mode: TlsMode[mode],
        certificate: TlsCertificate.sds('server'),
        ...(trust === undefined
          ? {}
          : {
              mutualTlsValidation: {
                trust: TlsValidationTrust.sds(trustSecret(trust)),
                subjectAlternativeNames: namesOf(
                  memberNames(this.#mesh).map((each) => identityOf(this.#mesh, each)),
                ),
              },
            }),
      },
    };
  }

  #backend(service: VirtualService, { virtualService, clientPolicy }: Backend): MeshBackend {
    if (clientPolicy.tls === 'none') return MeshBackend.virtualService(service);
    const external = this.#mesh.externalServices[virtualService];
    const tlsClientPolicy: TlsClientPolicy =
      external === undefined
        ? this.#clientPolicy(
            identitiesOf(this.#mesh, [{ virtualService, clientPolicy }]),
            clientPolicy.tls === 'mtls',
          )
        : {
            enforce: true,
            validation: {
              trust: TlsValidationTrust.file(WEB_CAS),
              subjectAlternativeNames: namesOf([external.hostname]),
            },
          };
    return MeshBackend.virtualService(service, { tlsClientPolicy });
  }

  #clientPolicy(identities: readonly string[], mutual: boolean): TlsClientPolicy {
    return {
      enforce: true,
      validation: {
        trust: TlsValidationTrust.sds(trustSecret('servers')),
        subjectAlternativeNames: namesOf(identities),
      },
      ...(mutual ? { mutualTlsCertificate: TlsCertificate.sds('client') } : {}),
    };
  }
}

function identitiesOf(mesh: Mesh, backends: readonly Backend[]): string[] {
  return backends.flatMap(({ virtualService }) => {
    const provider = mesh.virtualServices[virtualService]?.provider;
    return provider === undefined ? [] : [identityOf(mesh, provider)];
  });
}

function namesOf(names: readonly string[]): SubjectAlternativeNames {
  return SubjectAlternativeNames.matchingExactly(...names);
}

/** A name of App Mesh has no dots. */
function routeName({ name }: Operation): string {
  return name.replaceAll('.', '-');
}

function routePath({ path }: Operation): HttpRoutePathMatch {
  return path.includes('{') ? HttpRoutePathMatch.regex(pathRegex(path)) : HttpRoutePathMatch.exactly(path);
}

function gatewayPath({ path }: Operation): HttpGatewayRoutePathMatch {
  return path.includes('{')
    ? HttpGatewayRoutePathMatch.regex(pathRegex(path))
    : HttpGatewayRoutePathMatch.exactly(path);
}
