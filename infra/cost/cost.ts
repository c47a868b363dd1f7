/**
 * What a deployment costs in a month, counted from its own templates and from what its user does.
 *
 * @module
 */

import { SIZES } from '../sizes.ts';
import { DATABASE_HOURLY, HOURLY, HOURS_IN_A_MONTH, MONTHLY, PER_USE } from './prices.ts';
import { seriesOfNode, type SeriesSource } from './series.ts';
import {
  DATABASE_BYTES_OF_AN_ORDER,
  EDGE_OF_AN_ORDER,
  RENEWALS_OF_A_CERTIFICATE,
  SECRET_CALLS_OF_A_TASK,
  SHORT_LIVED_CERTIFICATES_OF_A_TASK,
  UNITS_OF_AN_ORDER,
  type Usage,
} from './usage.ts';

/** What is read of a template's resource. */
export interface Priced {
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever CloudFormation takes
  readonly properties: any;
}

/** USD a month. */
export interface Cost {
  readonly authorities: number;
  readonly certificates: number;
  readonly tasks: number;
  readonly network: number;
  readonly edge: number;
  readonly keysAndSecrets: number;
  readonly tables: number;
  readonly database: number;
  readonly watching: number;
  readonly total: number;
}

const GIGABYTE = 2 ** 30;
const CPU_UNITS = 1024;
const MIB_IN_A_GIGABYTE = 1024;

export function costOf(resources: readonly Priced[], usage: Usage): Cost {
  const count = (type: string, fits: (properties: Priced['properties']) => boolean = () => true): number =>
    resources.filter((each) => each.type === type && fits(each.properties)).length;
  const tasks = tasksOf(resources, usage);
  const shortLivedTasks = tasks.filter(({ isShortLived }) => isShortLived);
  const parts = {
    authorities:
      count('AWS::ACMPCA::CertificateAuthority', isShortLivedCa) * MONTHLY.shortLivedCa +
      count('AWS::ACMPCA::CertificateAuthority', (each) => !isShortLivedCa(each)) * MONTHLY.generalCa,
    certificates:
      count(
        'AWS::CertificateManager::Certificate',
        ({ CertificateAuthorityArn }) => CertificateAuthorityArn !== undefined,
      ) *
        RENEWALS_OF_A_CERTIFICATE *
        PER_USE.exportedCertificate +
      sum(shortLivedTasks.map(({ tasks: number }) => number)) *
        SHORT_LIVED_CERTIFICATES_OF_A_TASK *
        PER_USE.shortLivedCertificate,
    tasks: sum(tasks.map(({ tasks: number, hourly }) => number * hourly * HOURS_IN_A_MONTH)),
    network: networkOf(resources),
    edge: edgeOf(resources, usage),
    keysAndSecrets:
      (count('AWS::KMS::Key') + count('AWS::KMS::ReplicaKey')) * MONTHLY.kmsKey +
      count('AWS::SecretsManager::Secret') * MONTHLY.secret +
      sum(tasks.map(({ tasks: number }) => number)) * SECRET_CALLS_OF_A_TASK * PER_USE.secretCall,
    tables: tablesOf(usage) * Math.max(1, replicasOf(resources)),
    database: databaseOf(resources, usage),
    watching: watchingOf(resources, usage),
  };
  return { ...parts, total: sum(Object.values(parts)) };
}

interface Tasks {
  readonly tasks: number;
  readonly hourly: number;
  readonly isShortLived: boolean;
}

/** Of each node: as many as the usage needs on the average, between the fewest and the most. */
function tasksOf(resources: readonly Priced[], { size, busyShare }: Usage): Tasks[] {
  const { node } = SIZES[size];
  const average = node.tasksAtLeast + (node.tasksAtMost - node.tasksAtLeast) * busyShare;
  return resources
    .filter(({ type }) => type === 'AWS::ECS::TaskDefinition')
    .map(({ properties }) => ({
      tasks: average,
      hourly:
        (Number(properties.Cpu) / CPU_UNITS) * HOURLY.vcpu +
        (Number(properties.Memory) / MIB_IN_A_GIGABYTE) * HOURLY.gigabyte,
      isShortLived: JSON.stringify(properties.ContainerDefinitions).includes('short-lived'),
    }));
}

function networkOf(resources: readonly Priced[]): number {
  const endpoints = resources
    .filter(
      ({ type, properties }) =>
        type === 'AWS::EC2::VPCEndpoint' && properties.VpcEndpointType === 'Interface',
    )
    .map(({ properties }) => properties.SubnetIds.length as number);
  const gateways = resources.filter(({ type }) => type === 'AWS::EC2::NatGateway').length;
  return (
    (sum(endpoints) * HOURLY.interfaceEndpoint + gateways * (HOURLY.natGateway + HOURLY.publicAddress)) *
    HOURS_IN_A_MONTH
  );
}

/** None without a domain. */
function edgeOf(resources: readonly Priced[], { orders }: Usage): number {
  const balancers = resources.filter(({ type }) => type === 'AWS::ElasticLoadBalancingV2::LoadBalancer');
  const acls = resources.filter(({ type }) => type === 'AWS::WAFv2::WebACL');
  if (balancers.length === 0) return 0;
  const requests = orders * 2;
  // 25 new connections a second each; a connection for each request is the most that there can be.
  const units = Math.max(1, requests / (30 * 86_400) / 25);
  const zones = sum(balancers.map(({ properties }) => (properties.Subnets as unknown[]).length));
  const rules = sum(acls.map(({ properties }) => (properties.Rules as unknown[]).length));
  return (
    (balancers.length * HOURLY.loadBalancer +
      units * HOURLY.loadBalancerUnit +
      zones * HOURLY.publicAddress) *
      HOURS_IN_A_MONTH +
    acls.length * MONTHLY.webAcl +
    rules * MONTHLY.webAclRule +
    requests * acls.length * PER_USE.firewallRequest +
    MONTHLY.hostedZone +
    encryptionOf(resources, orders)
  );
}

/** CloudFront has every request, its function too, and each field of a card is a call of KMS. */
function encryptionOf(resources: readonly Priced[], orders: number): number {
  const isThere = resources.some(({ type }) => type === 'AWS::CloudFront::Distribution');
  if (!isThere) return 0;
  const { requests, fields, functionGigabyteSeconds } = EDGE_OF_AN_ORDER;
  return (
    orders *
    (requests * (PER_USE.distributionRequest + PER_USE.edgeFunctionRequest) +
      functionGigabyteSeconds * PER_USE.edgeFunctionGigabyteSecond +
      fields * PER_USE.kmsAsymmetricCall)
  );
}

/** In two zones. None where the orders are in the table. */
function databaseOf(resources: readonly Priced[], { orders }: Usage): number {
  return sum(
    resources
      .filter(({ type }) => type === 'AWS::RDS::DBInstance')
      .map(({ properties }) => {
        const hourly = DATABASE_HOURLY[properties.DBInstanceClass as string] ?? Number.NaN;
        const stored = (orders * 12 * DATABASE_BYTES_OF_AN_ORDER) / 2 / GIGABYTE;
        const gigabytes = Math.max(Number(properties.AllocatedStorage), stored);
        return hourly * HOURS_IN_A_MONTH + gigabytes * MONTHLY.databaseGigabyte;
      }),
  );
}

/** A year of orders is kept: what is stored in the middle of it. */
function tablesOf({ orders }: Usage): number {
  const { writes, reads, storedBytes } = UNITS_OF_AN_ORDER;
  const stored = (orders * 12 * storedBytes) / 2 / GIGABYTE;
  return (
    orders * (writes * PER_USE.writeUnit + reads * PER_USE.readUnit) +
    stored * (PER_USE.storedGigabyte + PER_USE.recoveredGigabyte)
  );
}

function replicasOf(resources: readonly Priced[]): number {
  const table = resources.find(({ type }) => type === 'AWS::DynamoDB::GlobalTable');
  return (table?.properties.Replicas as unknown[] | undefined)?.length ?? 0;
}

function watchingOf(resources: readonly Priced[], { orders }: Usage): number {
  const alarms = resources.filter(({ type }) => type === 'AWS::CloudWatch::Alarm');
  const unusual = alarms.filter(({ properties }) =>
    JSON.stringify(properties).includes('ANOMALY_DETECTION_BAND'),
  );
  const series = resources
    .filter(({ type }) => type === 'AWS::ECS::TaskDefinition')
    .map(({ properties }) => seriesOfNode(properties as SeriesSource));
  const filters = resources.filter(({ type }) => type === 'AWS::Logs::MetricFilter').length;
  const dashboards = resources.filter(({ type }) => type === 'AWS::CloudWatch::Dashboard').length;
  return (
    (alarms.length - unusual.length) * MONTHLY.alarm +
    unusual.length * MONTHLY.anomalyAlarm +
    dashboards * MONTHLY.dashboard +
    (sum(series) + filters) * MONTHLY.customMetric +
    ((orders * UNITS_OF_AN_ORDER.logBytes) / GIGABYTE) * PER_USE.logGigabyte
  );
}

function isShortLivedCa({ UsageMode }: { readonly UsageMode?: string }): boolean {
  return UsageMode === 'SHORT_LIVED_CERTIFICATE';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
