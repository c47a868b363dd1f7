import { CfnOutput } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, Metric, Row, Stats, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { listenerMode, memberOf } from '../../mesh/edges.ts';
import { TABLES } from '../../sidecar/tables.ts';
import { Alarms, FIVE_MINUTES } from '../constructs/alarms.ts';
import {
  ASKS_FOR_A_PERSON,
  envoyMetric,
  FAILED,
  linesOf,
  NOT_REVEALED,
  REVEALED,
} from '../constructs/mesh-metrics.ts';
import type { CertificatesStack } from './certificates-stack.ts';
import type { EdgeStack } from './edge-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';
import type { ServicesStack } from './services-stack.ts';

export interface ObservabilityProps extends RegionProps {
  readonly operationsKeyArn: string;
  readonly certificates: CertificatesStack;
  readonly services: ServicesStack;
  readonly edge: EdgeStack | undefined;
}

/** A certificate that lives 395 days is renewed by day 45 before its end: this near, something is wrong. */
const DAYS_LEFT_AT_LEAST = 30;
/** Of one that lives a week, renewed at two thirds at the latest. */
const SHORT_LIVED_DAYS_LEFT_AT_LEAST = 1;

/** What is looked at, and what wakes somebody. */
export class ObservabilityStack extends RegionStack {
  readonly #props: ObservabilityProps;
  readonly #alarms: Alarms;
  readonly #nodes: readonly string[];

  constructor(scope: Construct, props: ObservabilityProps) {
    super(scope, 'observability', 'dashboard and alarms', props);
    this.#props = props;
    this.#nodes = Object.keys(props.services.services);
    const topic = new Topic(this, 'topic', {
      topicName: `${this.mesh.name}-alarms`,
      masterKey: Key.fromKeyArn(this, 'operations-key', props.operationsKeyArn),
      enforceSSL: true,
    });
    const { alarmEmail } = this.deployment;
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
    this.#alarms = new Alarms(this, topic);
    for (const node of this.#nodes) this.#watchNode(node);
    const reveals = this.#watchReveals();
    this.#watchCertificates();
    this.#watchTables();
    this.#watchEdge();
    this.#dashboard(reveals);
    new CfnOutput(this, 'alarm-topic', { value: topic.topicArn });
  }

  #watchNode(node: string): void {
    const isMutual =
      listenerMode(memberOf(this.mesh, node)?.listener ?? { tls: { mode: 'STRICT' } }) === 'mtls';
    const isShortLived = this.deployment.certificates === 'short-lived' && node in this.mesh.virtualNodes;
    const metric = (name: Parameters<typeof envoyMetric>[2], statistic?: string): Metric =>
      envoyMetric(this.mesh, node, name, statistic);
    this.#alarms.when(`${node}-handshakes-refused`, {
      metric: metric('HandshakesRefused'),
      over: 20,
      meaning: `Somebody tries to connect to ${node} with a certificate that is none of the mesh's, or with none. docs/runbook.md, "Verify fails"`,
    });
    this.#alarms.when(`${node}-requests-refused`, {
      metric: metric('RequestsRefused'),
      over: 20,
      meaning: `A member of the mesh asks ${node} for what the definition does not grant it: see the access log of ${node}`,
    });
    if (isMutual) {
      this.#alarms.when(`${node}-handshakes-without-certificate`, {
        metric: metric('HandshakesWithoutCertificate'),
        over: 0,
        meaning: `The listener of ${node} took a connection without a certificate, which it must never do: stop the node. docs/runbook.md, "Verify fails"`,
      });
    }
    this.#alarms.when(`${node}-days-left`, {
      metric: metric('DaysLeft', Stats.MINIMUM),
      under: isShortLived ? SHORT_LIVED_DAYS_LEFT_AT_LEAST : DAYS_LEFT_AT_LEAST,
      meaning: `A certificate of ${node} was not renewed in time. docs/runbook.md, "A rotation is not served"`,
    });
    this.#alarms.when(`${node}-rotation-unserved`, {
      metric: metric('RotationsUnserved', Stats.MINIMUM),
      over: 0,
      periods: 3,
      meaning: `For a quarter of an hour ${node} does not serve the certificate that was published. docs/runbook.md, "A rotation is not served"`,
    });
    this.#alarms.when(`${node}-revocation`, {
      metric: metric('RevocationProblems', Stats.MINIMUM),
      over: 0,
      periods: 3,
      meaning: `A revocation list of ${node} is not up to date. docs/revocation.md, "When a list is not good"`,
    });
  }

  /** Far more reveals than usual is a theft, and far more refusals somebody who tries. */
  #watchReveals(): IMetric[] {
    const log = this.#props.services.logGroups['tokenizer'];
    if (log === undefined) return [];
    const revealed = linesOf(this, 'RevealsAnswered', log, REVEALED);
    const refused = linesOf(this, 'RevealsRefused', log, NOT_REVEALED);
    const failed = linesOf(this, 'TokenizerFailed', log, FAILED);
    this.#alarms.whenUnusual(
      'reveals-unusual',
      revealed,
      'Reveals are far from what they were at such an hour before: see who asks, in the audit (docs/audit.md)',
    );
    this.#alarms.whenUnusual(
      'refused-reveals-unusual',
      refused,
      'Refused reveals are far from what they were at such an hour before: somebody may be trying tokens (docs/audit.md)',
    );
    this.#alarms.when('tokenizer-failed', {
      metric: failed,
      over: 5,
      periods: 2,
      meaning:
        'The tokenizer answers 500 or 503: KMS, DynamoDB or the audit is not to be had. docs/runbook.md, "KMS does not answer"',
    });
    this.#alarms.when('tokenizer-asks', {
      metric: linesOf(this, 'TokenizerAsks', log, ASKS_FOR_A_PERSON),
      over: 0,
      meaning:
        'The tokenizer asks for a person (a honey token was used, or a format is exhausted): the field "alarm" of its log says why',
    });
    return [revealed, refused, failed];
  }

  #watchCertificates(): void {
    const { functions, deadLetters } = this.#props.certificates;
    for (const [name, each] of Object.entries(functions)) {
      this.#alarms.when(`${name}-errors`, {
        metric: each.metricErrors({ period: FIVE_MINUTES }),
        over: 0,
        meaning: `The function ${name} failed; it is tried again twice. Its log says why. docs/runbook.md`,
      });
      this.#alarms.when(`${name}-asks`, {
        metric: linesOf(this, `${name}Asks`, each.logGroup, ASKS_FOR_A_PERSON),
        over: 0,
        meaning: `The function ${name} asks for a person: the fields "alarm" and "remedy" of its log say why`,
      });
    }
    this.#alarms.when('dead-letters', {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES }),
      over: 0,
      meaning:
        'An event of a certificate was given up after three tries; it is in the queue. docs/runbook.md',
    });
  }

  #watchTables(): void {
    for (const table of Object.values(TABLES)) {
      this.#alarms.when(`${table}-throttled`, {
        metric: new Metric({
          namespace: 'AWS/DynamoDB',
          metricName: 'ThrottledRequests',
          dimensionsMap: { TableName: table },
          statistic: Stats.SUM,
          period: FIVE_MINUTES,
        }),
        over: 0,
        periods: 2,
        meaning: `DynamoDB refuses calls of ${table}: a hot key, or the account's quota`,
      });
    }
  }

  #watchEdge(): void {
    const { edge } = this.#props;
    if (edge === undefined) return;
    this.#alarms.when('gateway-unhealthy', {
      metric: edge.gatewayTargets.metrics.unhealthyHostCount({
        period: FIVE_MINUTES,
        statistic: Stats.MINIMUM,
      }),
      over: 0,
      periods: 2,
      meaning: 'A task of the gateway does not answer the load balancer',
    });
    this.#alarms.when('firewall-blocks', {
      metric: new Metric({
        namespace: 'AWS/WAFV2',
        metricName: 'BlockedRequests',
        dimensionsMap: { WebACL: edge.firewall.metricName, Region: this.regionName, Rule: 'ALL' },
        statistic: Stats.SUM,
        period: FIVE_MINUTES,
      }),
      over: 1_000,
      meaning: 'The firewall blocks many requests: see which rule and which addresses in its log',
    });
  }

  #dashboard(reveals: readonly IMetric[]): void {
    const ofNodes = (name: Parameters<typeof envoyMetric>[2], statistic?: string): Metric[] =>
      this.#nodes.map((node) => envoyMetric(this.mesh, node, name, statistic).with({ label: node }));
    const utilization = Object.values(this.#props.services.services).map(({ service }) =>
      service.metricCpuUtilization({ period: FIVE_MINUTES }),
    );
    const dashboard = new Dashboard(this, 'dashboard', {
      dashboardName: `${this.mesh.name}-${this.regionName}`,
    });
    const pairs: readonly (readonly [string, readonly IMetric[]])[] = [
      ['Handshakes', ofNodes('Handshakes')],
      ['Handshakes refused', ofNodes('HandshakesRefused')],
      ['Requests refused by the mesh', ofNodes('RequestsRefused')],
      ['Days until the first certificate ends', ofNodes('DaysLeft', Stats.MINIMUM)],
      ['Certificates published and not served', ofNodes('RotationsUnserved', Stats.MAXIMUM)],
      ['Revocation lists with a problem', ofNodes('RevocationProblems', Stats.MAXIMUM)],
      ['Reveals: answered, refused, failed', reveals],
      ['CPU of the tasks', utilization],
    ];
    for (let index = 0; index < pairs.length; index += 2) {
      dashboard.addWidgets(
        new Row(...pairs.slice(index, index + 2).map(([title, metrics]) => graph(title, metrics))),
      );
    }
  }
}

function graph(title: string, metrics: readonly IMetric[]): GraphWidget {
  return new GraphWidget({ title, left: [...metrics], width: 12, height: 6, period: FIVE_MINUTES });
}
