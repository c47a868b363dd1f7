import { describe, expect, it } from '@jest/globals';
import { appMeshGaps, APP_MESH_ENDED } from '../../infra/targets/app-mesh-gaps.ts';
import { taskSidecar } from '../../infra/targets/envoy.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { PRIVATE_DIRECTORY, SHARED_DIRECTORY } from '../../mesh/envoy/task-placement.ts';
import type { Placement, TokenIssuer } from '../../mesh/envoy/types.ts';
import { identityOf, memberNames, nodeNames } from '../../mesh/identity.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { appProgram } from '../../sidecar/node-programs.ts';
import { readConfig } from '../../sidecar/envoy/config.ts';
import { readConfig as readTokenizerConfig } from '../../sidecar/tokenizer/config.ts';
import { taskPlacement, withNode, withOneWayOrder } from '../support/meshes.ts';
import { synthesize, type Synthesized } from '../support/synthesized.ts';

const envoy = synthesize({ outsider: 'true' });
const appMesh = synthesize({ outsider: 'true', target: 'app-mesh' });

const NODES = nodeNames(mesh);

/** The user pool of the deployment, as the gateway's task has to be told of it. */
function issuerOf(of: Synthesized): TokenIssuer {
  const pool = of.one('AWS::Cognito::UserPool', () => true).id;
  const host = 'cognito-idp.us-east-1.amazonaws.com';
  return {
    issuer: `https://${host}/${pool}`,
    keys: { host, port: 443, path: `/${pool}/.well-known/jwks.json`, tls: true },
    clientIds: [of.one('AWS::Cognito::UserPoolClient', () => true).id],
  };
}

interface Container {
  readonly Name: string;
  readonly EntryPoint: string[];
  readonly Environment: { readonly Name: string; readonly Value: string }[];
  // oxlint-disable-next-line typescript/no-explicit-any -- read by tests alone
  readonly [key: string]: any;
}

function containersOf(of: Synthesized, node: string): Container[] {
  const task = of.one(
    'AWS::ECS::TaskDefinition',
    ({ properties }) => properties.Family === `tokenmesh-${node}`,
  );
  return task.properties.ContainerDefinitions as Container[];
}

function containerOf(of: Synthesized, node: string, name: 'sidecar' | 'app'): Container {
  const found = containersOf(of, node).find(({ Name }) => Name === name);
  if (found === undefined) throw new Error(`expected a container ${name} of ${node}`);
  return found;
}

const environmentOf = ({ Environment }: Container): Record<string, string> =>
  Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]));

/** Every value under a key, however deep. */
function valuesAt(json: unknown, key: string): unknown[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([name, each]) => (name === key ? [each] : valuesAt(each, key)));
}

/** What a listener admits: its port, and whom, or anybody. */
interface Admission {
  readonly port: number;
  readonly identities: readonly string[] | 'anybody';
}

function admissionOfEnvoy(of: Mesh, node: string): Admission {
  const bootstrap = renderBootstrap(of, node, taskPlacement(of, node));
  const [inbound] = (bootstrap['static_resources'] as { listeners: unknown[] }).listeners;
  const matchers = valuesAt(inbound, 'match_typed_subject_alt_names').flat() as {
    matcher: { exact: string };
  }[];
  const requires = valuesAt(inbound, 'require_client_certificate').includes(true);
  const [port] = valuesAt(inbound, 'port_value') as number[];
  return {
    port: port ?? 0,
    identities: requires ? matchers.map(({ matcher }) => matcher.exact).toSorted() : 'anybody',
  };
}

function admissionOfAppMesh(of: Synthesized, node: string): Admission {
  const named = of.resources.find(
    ({ properties }) => properties.VirtualNodeName === node || properties.VirtualGatewayName === node,
  );
  const [listener] = named?.properties.Spec.Listeners ?? [];
  const names = listener.TLS?.Validation?.SubjectAlternativeNames?.Match?.Exact as string[] | undefined;
  return { port: listener.PortMapping.Port, identities: names?.toSorted() ?? 'anybody' };
}

describe('both targets', () => {
  it.each(NODES)('admit the same identities at the same port of %s', (node) => {
    const expected = admissionOfEnvoy(mesh, node);
    expect(expected.port).toBeGreaterThan(0);
    expect(admissionOfAppMesh(appMesh, node)).toEqual(expected);
    expect(expected.identities).toEqual(
      node === 'gateway'
        ? 'anybody'
        : memberNames(mesh)
            .map((each) => identityOf(mesh, each))
            .toSorted(),
    );
  });

  it('admit anybody alike where a listener asks for no certificate', () => {
    const oneWay = withOneWayOrder();
    const rendered = synthesize({ outsider: 'true', target: 'app-mesh' }, { mesh: oneWay });
    expect(admissionOfEnvoy(oneWay, 'order')).toEqual({ port: 8444, identities: 'anybody' });
    expect(admissionOfAppMesh(rendered, 'order')).toEqual(admissionOfEnvoy(oneWay, 'order'));
  });

  it('follow a change of the definition alike', () => {
    const moved = withNode('order', (node) => ({ ...node, listener: { ...node.listener, port: 9444 } }));
    const rendered = synthesize({ outsider: 'true', target: 'app-mesh' }, { mesh: moved });
    expect(admissionOfAppMesh(rendered, 'order')).toEqual(admissionOfEnvoy(moved, 'order'));
    expect(admissionOfEnvoy(moved, 'order').port).toBe(9444);
  });
});

describe('a task', () => {
  it.each(NODES)(
    'of %s runs the sidecar that a run on one machine runs, with the same environment',
    (node) => {
      const sidecar = containerOf(envoy, node, 'sidecar');
      const program = taskSidecar(mesh, node, {
        authorities: undefined,
        tokenIssuer: issuerOf(envoy),
      });
      expect(sidecar.EntryPoint).toEqual(['/usr/local/bin/node', `/app/${program.script}`]);
      expect(environmentOf(sidecar)).toEqual({ AWS_REGION: 'us-east-1', ...program.environment });
      expect(containersOf(envoy, node)).toHaveLength(node in mesh.virtualGateways ? 1 : 2);
    },
  );

  it.each(Object.keys(mesh.virtualNodes))(
    'of %s runs the app that a run on one machine runs, with the same environment',
    (node) => {
      const { appSocket = '', egressSocket } = taskPlacement(mesh, node);
      const app = containerOf(envoy, node, 'app');
      const found = environmentOf(app);
      const expected = appProgram({
        nodeName: node,
        appSocket,
        egressSocket,
        vaultKeyArn: found['TOKENMESH_KMS_KEY_ARN'] ?? '',
        auditKeyArn: found['TOKENMESH_AUDIT_KEY_ID'] ?? '',
        eventBusName: 'tokenmesh',
      });
      expect(found).toEqual({ AWS_REGION: 'us-east-1', ...expected.environment });
      expect(app.EntryPoint).toEqual(['/usr/local/bin/node', ...expected.flags, `/app/${expected.script}`]);
    },
  );

  it.each(NODES)(
    'of %s has an environment that its sidecar takes, and renders its bootstrap from',
    (node) => {
      const config = readConfig(environmentOf(containerOf(envoy, node, 'sidecar')));
      expect(config.nodeName).toBe(node);
      expect(config.placement).toEqual(taskPlacement(mesh, node, issuerOf(envoy)));
      const bootstrap = renderBootstrap(mesh, config.nodeName, config.placement);
      expect(bootstrap['node']).toEqual({ id: node, cluster: mesh.name });
    },
  );

  it('of the tokenizer has an environment that the tokenizer takes', () => {
    const config = readTokenizerConfig(environmentOf(containerOf(envoy, 'tokenizer', 'app')));
    expect(config.kmsKeyArn).toMatch(/^arn:aws:kms:us-east-1:\d{12}:key\/vaultkey$/);
    expect(config.regionCode).toBe('IAD');
  });

  it('finds every peer by the name that the peer proves to have, and that Cloud Map gives it', () => {
    const names = envoy
      .ofType('AWS::ServiceDiscovery::Service')
      .map(({ properties }) => properties.Name as string);
    const namespace = envoy.one('AWS::ServiceDiscovery::PrivateDnsNamespace', () => true).properties
      .Name as string;
    for (const { endpoints } of NODES.map((node): Placement => taskPlacement(mesh, node))) {
      for (const [service, { provider }] of Object.entries(mesh.virtualServices)) {
        expect(endpoints[service]?.host).toBe(identityOf(mesh, provider));
        expect(names.map((name) => `${name}.${namespace}`)).toContain(endpoints[service]?.host);
      }
    }
  });

  it.each(NODES)('of %s is found under its name in Cloud Map', (node) => {
    const registered = envoy.one(
      'AWS::ServiceDiscovery::Service',
      ({ properties }) => properties.Name === node,
    );
    const namespace = envoy.one('AWS::ServiceDiscovery::PrivateDnsNamespace', () => true);
    expect(`${registered.properties.Name}.${namespace.properties.Name}`).toBe(identityOf(mesh, node));
    expect(registered.properties.DnsConfig.DnsRecords).toEqual([{ TTL: 10, Type: 'A' }]);
    const service = envoy.one('AWS::ECS::Service', ({ properties }) => properties.ServiceName === node);
    expect(service.properties.ServiceRegistries).toEqual([{ RegistryArn: `${registered.id}.Arn` }]);
  });

  it('is told no address, nor is a function: only where to listen, and whose is this machine', () => {
    const everything = synthesize({ outsider: 'true', orderStore: 'mysql', certificates: 'short-lived' });
    const told = [
      ...everything
        .ofType('AWS::ECS::TaskDefinition')
        .flatMap(({ properties }) => properties.ContainerDefinitions as Container[])
        .flatMap((container) => Object.entries(environmentOf(container))),
      ...everything
        .ofType('AWS::Lambda::Function')
        .flatMap(({ properties }) => Object.entries(properties.Environment?.Variables ?? {})),
    ];
    expect(told.length).toBeGreaterThan(80);
    const addresses = told.flatMap(([name, value]) =>
      [...String(value).matchAll(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g)].map(([found]) => [
        name,
        found,
      ]),
    );
    expect(new Set(addresses.map(([, found]) => found))).toEqual(new Set(['0.0.0.0']));
  });

  it.each(NODES)(
    'of %s can write nowhere but to the sockets that it shares, and its sidecar to memory',
    (node) => {
      for (const container of containersOf(envoy, node)) {
        expect(container['ReadonlyRootFilesystem']).toBe(true);
        expect(container['User']).toBe('65532:65532');
        expect(container['LinuxParameters'].Capabilities).toEqual({ Drop: ['ALL'] });
        expect(container['MountPoints']).toEqual([
          { SourceVolume: 'sockets', ContainerPath: SHARED_DIRECTORY, ReadOnly: false },
        ]);
        const ofTheSidecar = {
          ContainerPath: PRIVATE_DIRECTORY,
          Size: 16,
          // Without them the folder is root's, and closed to the sidecar.
          MountOptions: ['nosuid', 'nodev', 'noexec', 'uid=65532', 'gid=65532', 'mode=0700'],
        };
        expect(container['LinuxParameters'].Tmpfs).toEqual(
          container.Name === 'sidecar' ? [ofTheSidecar] : undefined,
        );
      }
    },
  );

  it.each(NODES)(
    'of %s keeps secrets and the admin interface in memory, where its app does not come',
    (node) => {
      const { secretsDirectory, admin } = taskPlacement(mesh, node);
      const config = readConfig(environmentOf(containerOf(envoy, node, 'sidecar')));
      for (const path of [
        secretsDirectory,
        'socket' in admin ? admin.socket : '',
        config.agentSocket,
        config.runDirectory,
      ]) {
        expect(path.startsWith(PRIVATE_DIRECTORY)).toBe(true);
      }
      expect(SHARED_DIRECTORY.startsWith(PRIVATE_DIRECTORY)).toBe(false);
    },
  );

  it.each(NODES)('of %s has no secret in its environment, and no other way to be given one', (node) => {
    for (const container of containersOf(envoy, node)) {
      expect(container['Secrets']).toBeUndefined();
      expect(JSON.stringify(container.Environment)).not.toMatch(/BEGIN|passphrase|password|secretsmanager/i);
    }
  });

  it.each(NODES)('of %s opens the port of its proxy alone, and its app waits for the proxy', (node) => {
    const ports = containersOf(envoy, node).flatMap((each) => each['PortMappings'] ?? []) as {
      ContainerPort: number;
    }[];
    expect(ports.map(({ ContainerPort }) => ContainerPort)).toEqual([
      taskPlacement(mesh, node).listener.port,
    ]);
    const health = containerOf(envoy, node, 'sidecar')['HealthCheck'].Command as string[];
    expect(health[0]).toBe('CMD');
    if (node in mesh.virtualGateways) return;
    expect(containerOf(envoy, node, 'app')['DependsOn']).toEqual([
      { ContainerName: 'sidecar', Condition: 'HEALTHY' },
    ]);
  });

  it('is replaced with a way back, and there are two of each', () => {
    for (const { properties } of envoy.ofType('AWS::ECS::Service')) {
      expect(properties.DeploymentConfiguration).toMatchObject({
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
      });
      expect(properties.DesiredCount).toBe(2);
      expect(properties.EnableExecuteCommand).toBe(false);
    }
    expect(envoy.ofType('AWS::ApplicationAutoScaling::ScalableTarget')).toHaveLength(NODES.length);
  });

  it('of the outsider is there only where it is asked for', () => {
    const families = (of: Synthesized): string[] =>
      of.ofType('AWS::ECS::TaskDefinition').map(({ properties }) => properties.Family);
    expect(families(envoy)).toContain('tokenmesh-outsider');
    expect(families(synthesize())).not.toContain('tokenmesh-outsider');
  });

  it('has certificates of its own signed where the deployment says so, by the CAs of its region', () => {
    const short = synthesize({ certificates: 'short-lived' });
    const { certificateSource } = readConfig(environmentOf(containerOf(short, 'order', 'sidecar')));
    expect(certificateSource).toMatchObject({
      kind: 'short-lived',
      lifeSeconds: 604_800,
      authorities: {
        client: expect.stringMatching(/authority\/clientsshortlived/),
        server: expect.stringMatching(/authority\/serversshortlived/),
      },
    });
    const gateway = readConfig(environmentOf(containerOf(short, 'gateway', 'sidecar')));
    expect(gateway.certificateSource).toEqual({ kind: 'acm-export' });
  });
});

describe('the target envoy', () => {
  it.each(NODES.filter((node) => node !== 'gateway'))(
    'lets nobody into %s but over TLS 1.3, with a certificate of the clients, under its own of the servers',
    (node) => {
      const bootstrap = renderBootstrap(mesh, node, taskPlacement(mesh, node));
      const [inbound] = (bootstrap['static_resources'] as { listeners: unknown[] }).listeners;
      expect(valuesAt(inbound, 'require_client_certificate')).toEqual([true]);
      expect(valuesAt(inbound, 'tls_minimum_protocol_version')).toEqual(['TLSv1_3']);
      expect(valuesAt(inbound, 'filter_chains').flat()).toHaveLength(1);
      expect(valuesAt(inbound, 'name')).toEqual(expect.arrayContaining(['trust-clients', 'server']));
      expect(valuesAt(inbound, 'name')).not.toContain('trust-servers');
    },
  );

  it('leaves nothing out', () => {
    expect(envoy.messages).toEqual([]);
  });
});

describe('the target app-mesh', () => {
  const specOf = (name: string) =>
    appMesh.resources.find(
      ({ properties }) => properties.VirtualNodeName === name || properties.VirtualGatewayName === name,
    )?.properties.Spec;

  it.each(NODES)('has TLS strict at %s, and clients prove themselves under the other hierarchy', (node) => {
    const [listener] = specOf(node).Listeners;
    expect(listener.TLS.Mode).toBe('STRICT');
    expect(listener.TLS.Certificate).toEqual({ SDS: { SecretName: 'server' } });
    const trust = listener.TLS.Validation?.Trust;
    expect(trust).toEqual(node === 'gateway' ? undefined : { SDS: { SecretName: 'trust-clients' } });
  });

  it('has every backend proven under the servers, by name, with a certificate of the caller', () => {
    const [backend] = specOf('order').Backends;
    expect(backend.VirtualService.ClientPolicy.TLS).toEqual({
      Enforce: true,
      Certificate: { SDS: { SecretName: 'client' } },
      Validation: {
        Trust: { SDS: { SecretName: 'trust-servers' } },
        SubjectAlternativeNames: { Match: { Exact: ['tokenizer.tokenmesh.internal'] } },
      },
    });
    const external = specOf('paybill').Backends.find((each: object) =>
      JSON.stringify(each).includes('processor'),
    );
    expect(external.VirtualService.ClientPolicy.TLS.Validation.SubjectAlternativeNames.Match.Exact).toEqual([
      'processor.example',
    ]);
    expect(external.VirtualService.ClientPolicy.TLS.Certificate).toBeUndefined();
  });

  it('routes what the definition lists, by method and path, and drops what leaves the mesh otherwise', () => {
    const routes = appMesh
      .ofType('AWS::AppMesh::Route')
      .map(({ properties }) => properties.RouteName as string);
    const operations = Object.values(mesh.virtualServices).flatMap(
      ({ provider }) => mesh.virtualNodes[provider]?.listener.operations ?? [],
    );
    expect(routes.toSorted()).toEqual(operations.map(({ name }) => name.replaceAll('.', '-')).toSorted());
    expect(appMesh.ofType('AWS::AppMesh::GatewayRoute')).toHaveLength(
      mesh.virtualGateways['gateway']?.listener.operations.length ?? 0,
    );
    expect(appMesh.one('AWS::AppMesh::Mesh', () => true).properties.Spec.EgressFilter).toEqual({
      Type: 'DROP_ALL',
    });
  });

  it('says that AWS ended the service, and all that it cannot say', () => {
    expect(appMesh.messages[0]).toContain(APP_MESH_ENDED);
    const gaps = appMeshGaps(mesh);
    expect(gaps.length).toBeGreaterThan(5);
    for (const { what } of gaps) expect(appMesh.messages.join('\n')).toContain(what);
  });

  it('names a gap where there is one, and not elsewhere', () => {
    const about = (of: Mesh): readonly string[] =>
      appMeshGaps(of).find(({ what }) => what.startsWith('which identity'))?.where ?? [];
    expect(about(mesh)).toEqual(['order', 'paybill', 'tokenizer']);
    expect(about(withOneWayOrder())).toEqual(['paybill', 'tokenizer']);
  });
});
