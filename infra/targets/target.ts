/**
 * What renders the definition of the mesh on AWS: there are two.
 *
 * @module
 */

import type { ContainerImage, HealthCheck, ProxyConfiguration } from 'aws-cdk-lib/aws-ecs';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** The name of the container beside an app. */
export const PROXY_CONTAINER = 'sidecar';

/** The container beside an app. */
export interface ProxyContainer {
  readonly image: ContainerImage;
  /** @default the image's own */
  readonly entryPoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthCheck: HealthCheck;
  /** @default 65532, as the project's own images */
  readonly user?: string;
}

/** Something that the definition says and a target cannot. */
export interface Gap {
  readonly what: string;
  /** Nodes that it touches. */
  readonly where: readonly string[];
  readonly consequence: string;
}

export interface MeshTarget {
  readonly name: 'envoy' | 'app-mesh';
  proxyOf(nodeName: string): ProxyContainer;
  /** What the proxy of a node needs beside its certificates. */
  rightsOf(nodeName: string): readonly PolicyStatement[];
  /** Where traffic is led through the proxy without the app's knowing. @default nowhere: an app calls its Envoy's socket */
  interceptionOf?(nodeName: string): ProxyConfiguration;
  readonly gaps: readonly Gap[];
  /** What whoever deploys it has to know first. */
  readonly notice?: string;
}
