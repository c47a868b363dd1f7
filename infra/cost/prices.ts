/**
 * List prices that a deployment is made of: US East (N. Virginia), USD, before any discount and any free tier,
 * as known on 2026-11-25. Only those of the private CAs and of Fargate on x86 were looked up that day; tasks here run on ARM.
 *
 * @module
 */

export const HOURS_IN_A_MONTH = 730;

/** By the hour. */
export const HOURLY = {
  /** AWS Fargate, Linux on ARM. */
  vcpu: 0.03238,
  gigabyte: 0.00356,
  /** AWS PrivateLink, for each zone. */
  interfaceEndpoint: 0.01,
  natGateway: 0.045,
  loadBalancer: 0.0225,
  /** One load balancer capacity unit: 25 new connections a second, or 1 GB an hour. */
  loadBalancerUnit: 0.008,
  /** A public IPv4 address: of a NAT gateway, and for each zone of a load balancer. */
  publicAddress: 0.005,
} as const;

/** Amazon RDS for MySQL, in two zones. */
export const DATABASE_HOURLY: Readonly<Record<string, number>> = {
  'db.t4g.medium': 0.129,
  'db.m7g.large': 0.336,
  'db.r7g.4xlarge': 3.824,
};

/** By the month. */
export const MONTHLY = {
  generalCa: 400,
  shortLivedCa: 50,
  kmsKey: 1,
  secret: 0.4,
  alarm: 0.1,
  /** Three metrics: the value and the two edges of the band. */
  anomalyAlarm: 0.3,
  dashboard: 3,
  /** Of the first 10,000. */
  customMetric: 0.3,
  webAcl: 5,
  webAclRule: 1,
  hostedZone: 0.5,
  /** In two zones. */
  databaseGigabyte: 0.23,
} as const;

/** By use. */
export const PER_USE = {
  /** ACM, a certificate when it is first exported, and at each renewal; of the first 1,000 of a month. */
  exportedCertificate: 0.75,
  /** AWS Private CA in short-lived mode, each certificate. */
  shortLivedCertificate: 0.058,
  secretCall: 0.05 / 10_000,
  kmsCall: 0.03 / 10_000,
  writeUnit: 0.625 / 1_000_000,
  readUnit: 0.125 / 1_000_000,
  storedGigabyte: 0.25,
  /** Point-in-time recovery, of each gigabyte stored. */
  recoveredGigabyte: 0.2,
  logGigabyte: 0.5,
  firewallRequest: 0.6 / 1_000_000,
  /** CloudFront, HTTPS, to viewers in North America and Europe. */
  distributionRequest: 0.01 / 10_000,
  edgeFunctionRequest: 0.6 / 1_000_000,
  edgeFunctionGigabyteSecond: 0.000_050_01,
  /** With a key of RSA of more than 2048 bits. */
  kmsAsymmetricCall: 0.15 / 10_000,
  natGigabyte: 0.045,
} as const;
