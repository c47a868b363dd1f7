import { Fn, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Mesh } from '../../mesh/definition.ts';
import type { Deployment } from '../config.ts';

export interface RegionProps {
  readonly mesh: Mesh;
  readonly deployment: Deployment;
  readonly region: string;
}

/** Two zones: one may be lost. */
const ZONES = 2;

/** A stack of one region. Its zones are the region's first two, whatever they are called: nothing is looked up. */
export class RegionStack extends Stack {
  readonly mesh: Mesh;
  readonly deployment: Deployment;
  readonly regionName: string;

  constructor(scope: Construct, name: string, description: string, props: RegionProps) {
    const { mesh, deployment, region } = props;
    super(scope, `${mesh.name}-${name}-${region}`, {
      description: `${mesh.name}: ${description}`,
      env: { region, ...(deployment.account === undefined ? {} : { account: deployment.account }) },
      crossRegionReferences: deployment.regions.length > 1,
      terminationProtection: deployment.data === 'keep',
    });
    this.mesh = mesh;
    this.deployment = deployment;
    this.regionName = region;
    Tags.of(this).add('tokenmesh:deployment', mesh.name);
  }

  override get availabilityZones(): string[] {
    return Array.from({ length: ZONES }, (_, index) => Fn.select(index, Fn.getAzs()));
  }

  get isPrimary(): boolean {
    return this.regionName === this.deployment.regions[0];
  }

  /** Of what holds data. */
  get removalPolicy(): RemovalPolicy {
    return this.deployment.data === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  }
}
