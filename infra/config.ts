/**
 * What a deployment is told, by `-c name=value` or by `cdk.json`: every choice with its default.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';
import { readEdgeKey, type EdgeKey } from './edge-key.ts';
import { SIZES, type SizeName } from './sizes.ts';

export interface Deployment {
  /** Envoy alone, which runs today, or App Mesh, which AWS ended on 2026-09-30. @default envoy */
  readonly target: 'envoy' | 'app-mesh';
  /** The first has the tables and the primary keys; each further one has replicas. @default us-east-1 */
  readonly regions: readonly [string, ...string[]];
  /** Needed for several regions. @default whatever account the credentials are of */
  readonly account?: string;
  /** Where callers outside find the gateway; without it nothing is public. @default none */
  readonly domain?: PublicDomain;
  /** Where the nodes' certificates come from. @default acm-export */
  readonly certificates: 'acm-export' | 'short-lived';
  /** Whether the vault's keys can have replicas in other regions later: of a key that is there it cannot be changed. @default true */
  readonly multiRegion: boolean;
  /** EXTERNAL: the vault's key has no material until one's own is imported. @default AWS_KMS */
  readonly keyOrigin: 'AWS_KMS' | 'EXTERNAL';
  /** The node that must be refused, to watch it being refused. @default false */
  readonly outsider: boolean;
  /** Where order and paybill keep the orders: a table, or a database of MySQL. @default dynamodb */
  readonly orderStore: 'dynamodb' | 'mysql';
  /** Names of the keys that values are encrypted under at the edge, the newest first. @default none */
  readonly edgeKeys: readonly string[];
  /** The function at the edge; without it nothing is encrypted there. @default none */
  readonly edgeFunction?: EdgeFunctionChoice;
  /** @default small */
  readonly size: SizeName;
  /** What becomes of tables, keys and buckets when the stacks are deleted. @default keep */
  readonly data: 'keep' | 'discard';
  /** @default 400: PCI DSS 4.0 requirement 10.5.1 wants a year */
  readonly logDays: number;
  /** Whom alarms are sent to. @default none: the topic has no subscriber */
  readonly alarmEmail?: string;
}

export interface PublicDomain {
  readonly name: string;
  readonly hostedZoneId: string;
}

export interface EdgeFunctionChoice {
  readonly key: EdgeKey;
  /** Of each region, in their order: the addresses that CloudFront calls from. */
  readonly prefixLists: readonly string[];
}

/** What CloudWatch Logs takes. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653,
];

interface Rule {
  readonly expected: string;
  readonly fallback?: string;
  readonly isValid: (text: string) => boolean;
}

const oneOf = (fallback: string, ...others: string[]): Rule => ({
  expected: `one of ${[fallback, ...others].join(', ')}`,
  fallback,
  isValid: (text) => [fallback, ...others].includes(text),
});

const matching = (expected: string, pattern: RegExp, fallback?: string): Rule => ({
  expected,
  ...(fallback === undefined ? {} : { fallback }),
  isValid: (text) => pattern.test(text),
});

const REGION = '[a-z]{2}(?:-[a-z]+)+-\\d';

const KEY_NAME = '[a-z\\d](?:[a-z\\d-]{0,18}[a-z\\d])?';

const RULES = {
  target: oneOf('envoy', 'app-mesh'),
  regions: matching(
    'regions such as us-east-1,eu-west-1',
    new RegExp(`^${REGION}(?:,${REGION})*$`),
    'us-east-1',
  ),
  account: matching('twelve digits', /^\d{12}$/),
  domain: matching(
    'a domain such as pay.example.com',
    /^(?=.{4,253}$)([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z]{2,}$/,
  ),
  hostedZoneId: matching("the id of the domain's hosted zone, such as Z0123456789ABC", /^Z[A-Z\d]{5,31}$/),
  certificates: oneOf('acm-export', 'short-lived'),
  multiRegion: oneOf('true', 'false'),
  keyOrigin: oneOf('AWS_KMS', 'EXTERNAL'),
  outsider: oneOf('false', 'true'),
  orderStore: oneOf('dynamodb', 'mysql'),
  edgeKeys: matching(
    'names of keys such as second,first, each of letters, digits and hyphens',
    new RegExp(`^(?:${KEY_NAME}(?:,${KEY_NAME})*)?$`),
    '',
  ),
  edgeKeyFile: matching('the file that aws kms get-public-key wrote', /\S/),
  edgePrefixLists: matching('ids such as pl-0123abcd', /^pl-[\da-f]{8,17}(?:,pl-[\da-f]{8,17})*$/),
  size: oneOf('small', ...Object.keys(SIZES).filter((name) => name !== 'small')),
  data: oneOf('keep', 'discard'),
  logDays: {
    expected: `one of ${LOG_DAYS.join(', ')}`,
    fallback: '400',
    isValid: (text) => LOG_DAYS.map(String).includes(text),
  },
  alarmEmail: matching('an e-mail address', /^[^\s@]+@[^\s@]+\.[^\s@]+$/),
} as const satisfies Record<string, Rule>;

type Name = keyof typeof RULES;

/** CDK's own context has colons, slashes or hyphens in its keys; what has none is meant for us. */
const OUR_KEY = /^[A-Za-z][A-Za-z\d_]*$/;

/**
 * @param context - All of it, so that a name with a slip in it is told rather than passed over.
 * @throws {TokenmeshError} `ERR_DEPLOYMENT_INVALID` with every problem at once.
 */
export function readDeployment(context: Readonly<Record<string, unknown>>): Deployment {
  const problems = unknownNames(context);
  const read = (name: Name): string | undefined => {
    const rule: Rule = RULES[name];
    const given: unknown = context[name] ?? rule.fallback;
    if (given === undefined) return undefined;
    const text = Array.isArray(given) ? given.join(',') : `${given as string | number | boolean}`;
    if (!rule.isValid(text)) problems.push(`${name}: expected ${rule.expected}, got ${JSON.stringify(text)}`);
    return text;
  };
  const text = Object.fromEntries(Object.keys(RULES).map((name) => [name, read(name as Name)]));
  const regions = (text['regions'] ?? '').split(',') as [string, ...string[]];
  problems.push(...joint(text, regions));
  const edgeFunction = readEdgeFunction(text, regions, problems);
  if (problems.length > 0) throw invalid(problems);
  const { account, domain, hostedZoneId, alarmEmail } = text;
  return {
    target: text['target'] as Deployment['target'],
    regions,
    ...(account === undefined ? {} : { account }),
    ...(domain === undefined || hostedZoneId === undefined ? {} : { domain: { name: domain, hostedZoneId } }),
    certificates: text['certificates'] as Deployment['certificates'],
    multiRegion: text['multiRegion'] === 'true',
    keyOrigin: text['keyOrigin'] as Deployment['keyOrigin'],
    outsider: text['outsider'] === 'true',
    orderStore: text['orderStore'] as Deployment['orderStore'],
    edgeKeys: listOf(text['edgeKeys']),
    ...(edgeFunction === undefined ? {} : { edgeFunction }),
    size: text['size'] as SizeName,
    data: text['data'] as Deployment['data'],
    logDays: Number(text['logDays']),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
  };
}

function unknownNames(context: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(RULES);
  return Object.keys(context)
    .filter((key) => OUR_KEY.test(key) && !names.includes(key))
    .map((key) => `${key}: expected one of ${names.join(', ')}`);
}

/** What only shows with several values side by side. */
function joint(text: Readonly<Record<string, string | undefined>>, regions: readonly string[]): string[] {
  const problems: string[] = [];
  if (new Set(regions).size < regions.length) problems.push('regions: expected each region once');
  if ((text['domain'] === undefined) !== (text['hostedZoneId'] === undefined)) {
    problems.push('domain, hostedZoneId: expected both or neither');
  }
  if (regions.length > 1 && text['account'] === undefined) {
    problems.push('account: expected with several regions, whose stacks name each other by account');
  }
  if (text['keyOrigin'] === 'EXTERNAL' && regions.length > 1) {
    problems.push(
      'keyOrigin: expected AWS_KMS with several regions: CloudFormation makes no replica of a key with imported material',
    );
  }
  if (text['multiRegion'] === 'false' && regions.length > 1) {
    problems.push('multiRegion: expected true with several regions');
  }
  if (text['orderStore'] === 'mysql' && regions.length > 1) {
    problems.push(
      'orderStore: expected dynamodb with several regions: each would have a database of its own',
    );
  }
  if (new Set(listOf(text['edgeKeys'])).size < listOf(text['edgeKeys']).length) {
    problems.push('edgeKeys: expected each name once');
  }
  return problems;
}

/** The function is bundled with the public half of a key that is there already: docs/edge.md. */
function readEdgeFunction(
  text: Readonly<Record<string, string | undefined>>,
  regions: readonly string[],
  problems: string[],
): EdgeFunctionChoice | undefined {
  const { edgeKeyFile, edgePrefixLists, edgeKeys, domain } = text;
  if (edgeKeyFile === undefined && edgePrefixLists === undefined) return undefined;
  const prefixLists = listOf(edgePrefixLists);
  if (prefixLists.length !== regions.length) {
    problems.push('edgePrefixLists: expected one for each region, beside edgeKeyFile');
  }
  if (domain === undefined) problems.push('domain: expected with edgeKeyFile, which stands before it');
  if (listOf(edgeKeys).length === 0) {
    problems.push('edgeKeys: expected with edgeKeyFile: the tokenizer opens under no other');
  }
  const key = readEdgeKey(edgeKeyFile);
  if ('problem' in key) problems.push(`edgeKeyFile: ${key.problem}`);
  else return { key, prefixLists };
  return undefined;
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((each) => each !== '');
}

function invalid(problems: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_DEPLOYMENT_INVALID',
    message: `the deployment cannot be made: ${problems.join('; ')}`,
    remedy:
      'correct what is named, on the command line (-c name=value) or in cdk.json; docs/deploy.md lists all',
  });
}
