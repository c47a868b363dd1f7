import { CfnOutput } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, Metric, Row, Stats, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { METRICS } from '../../runtime/metrics/catalogue.ts';
import { TABLES } from '../../sidecar/tables.ts';
import { Alarms, alarmTopic, FIVE_MINUTES } from '../constructs/alarms.ts';
import { seriesOf } from '../constructs/catalogue-alarms.ts';
import {
  allSeries,
  ASKS_FOR_A_PERSON,
  FAILED,
  linesOf,
  NOT_REVEALED,
  REVEALED,
} from '../constructs/mesh-metrics.ts';
import { deployedTables } from '../nodes.ts';
import type { BulkStack } from './bulk-stack.ts';
import type { CertificatesStack } from './certificates-stack.ts';
import type { EdgeStack } from './edge-stack.ts';
import type { OrdersStack } from './orders-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';
import type { ServicesStack } from './services-stack.ts';

export interface ObservabilityProps extends RegionProps {
  readonly operationsKeyArn: string;
  readonly certificates: CertificatesStack;
  readonly services: ServicesStack;
  readonly bulk: BulkStack;
  readonly edge: EdgeStack | undefined;
  readonly orders: OrdersStack | undefined;
}

const FREE_BYTES_AT_LEAST = 2 * 2 ** 30;

/** Five tries of a part take half of it. */
const WAIT_SECONDS = 3_600;

/** What is looked at, and what wakes somebody. */
export class ObservabilityStack extends RegionStack {
  readonly #props: ObservabilityProps;
  readonly #alarms: Alarms;
  readonly #nodes: readonly string[];

  constructor(scope: Construct, props: ObservabilityProps) {
    super(scope, 'observability', 'dashboard and alarms', props);
    this.#props = props;
    this.#nodes = Object.keys(props.services.services);
    const key = Key.fromKeyArn(this, 'operations-key', props.operationsKeyArn);
    const topic = alarmTopic(this, `${this.mesh.name}-alarms`, key);
    this.#alarms = new Alarms(this, topic);
    for (const node of this.#nodes) this.#watchNode(node);
    const reveals = this.#watchReveals();
    this.#watchCertificates();
    this.#watchBulk();
    this.#watchTables();
    this.#watchDatabase();
    this.#watchEdge();
    this.#dashboard(reveals);
    new CfnOutput(this, 'alarm-topic', { value: topic.topicArn });
  }

  /** As the list of alarms says. */
  #watchNode(node: string): void {
    for (const { id, alarm, metric, periods } of seriesOf(this.mesh, node)) {
      const { severity, sentence, comparison, threshold, runbook } = alarm;
      this.#alarms.when(id, {
        metric,
        ...(comparison === '<' ? { under: threshold } : { over: threshold }),
        periods,
        meaning: `${severity}, ${node}: ${sentence}. docs/runbook.md#${runbook}`,
      });
    }
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
        'The tokenizer asks for a person (a honey token was used, a format is exhausted, or another region is far behind): the field "alarm" of its log says why',
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

  #watchBulk(): void {
    const { handler, queues } = this.#props.bulk;
    this.#alarms.when('bulk-errors', {
      metric: handler.metricErrors({ period: FIVE_MINUTES }),
      over: 0,
      meaning:
        'The function bulk failed as a whole; its messages come again. Its log says why. docs/queue.md',
    });
    for (const { parts, dead } of queues) {
      this.#alarms.when(`bulk-${dead.node.id}`, {
        metric: dead.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES }),
        over: 0,
        meaning:
          'A part of a load was given up after five tries and is in the dead-letter queue: mend the cause, then move it back. docs/queue.md',
      });
      this.#alarms.when(`bulk-${parts.node.id}-wait`, {
        metric: parts.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES }),
        over: WAIT_SECONDS,
        periods: 3,
        meaning:
          'Parts of a load wait for long: the function fails, or more is sent than the tokenizer serves. docs/queue.md',
      });
    }
  }

  #watchTables(): void {
    for (const table of deployedTables(this.deployment).map((role) => TABLES[role])) {
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

  #watchDatabase(): void {
    const { orders } = this.#props;
    if (orders === undefined) return;
    const metric = (metricName: string): Metric =>
      new Metric({
        namespace: 'AWS/RDS',
        metricName,
        dimensionsMap: { DBInstanceIdentifier: orders.instanceName },
        statistic: Stats.AVERAGE,
        period: FIVE_MINUTES,
      });
    this.#alarms.when('orders-database-full', {
      metric: metric('FreeStorageSpace'),
      under: FREE_BYTES_AT_LEAST,
      meaning: "The disk of the orders' database fills up faster than RDS enlarges it. docs/order-history.md",
    });
    this.#alarms.when('orders-database-busy', {
      metric: metric('CPUUtilization'),
      over: 80,
      periods: 3,
      meaning:
        "The orders' database has more to do than it is made for: give it a larger size. docs/order-history.md",
    });
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
    const utilization = Object.values(this.#props.services.services).map(({ service }) =>
      service.metricCpuUtilization({ period: FIVE_MINUTES }),
    );
    const dashboard = new Dashboard(this, 'dashboard', {
      dashboardName: `${this.mesh.name}-${this.regionName}`,
    });
    const pairs: readonly (readonly [string, readonly IMetric[]])[] = [
      ['Reveals: answered, refused, failed', reveals],
      ['CPU of the tasks', utilization],
      ...METRICS.filter(({ kind }) => kind !== 'histogram').map(
        (metric) => [metric.meaning, [allSeries(this.mesh, metric)]] as const,
      ),
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
