import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AnomalyDetectionAlarm,
  ComparisonOperator,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic, type ITopic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { RegionStack } from '../stacks/region-stack.ts';

export interface Threshold {
  readonly metric: IMetric;
  /** What it means, and what to do: whoever is woken reads this first. */
  readonly meaning: string;
  readonly over?: number;
  readonly under?: number;
  readonly periods?: number;
  /** @default notBreaching: no news is good news */
  readonly missing?: TreatMissingData;
}

/** Sealed, and told to whoever the deployment names. */
export function alarmTopic(stack: RegionStack, topicName: string, key: IKey): Topic {
  const topic = new Topic(stack, 'topic', { topicName, masterKey: key, enforceSSL: true });
  const { alarmEmail } = stack.deployment;
  if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
  return topic;
}

/** Alarms that all tell one topic. */
export class Alarms extends Construct {
  readonly all: (Alarm | AnomalyDetectionAlarm)[] = [];
  readonly #topic: ITopic;

  constructor(scope: Construct, topic: ITopic) {
    super(scope, 'alarms');
    this.#topic = topic;
  }

  when(id: string, { metric, meaning, over, under, periods = 1, missing }: Threshold): void {
    const alarm = new Alarm(this, id, {
      metric,
      alarmDescription: meaning,
      threshold: over ?? under ?? 0,
      comparisonOperator:
        over === undefined
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
    this.#tell(alarm);
  }

  /** Where no number is right for everybody: what is far from what the metric did at such an hour before. */
  whenUnusual(id: string, metric: IMetric, meaning: string): void {
    const alarm = new AnomalyDetectionAlarm(this, id, {
      metric,
      alarmDescription: meaning,
      stdDevs: 3,
      comparisonOperator: ComparisonOperator.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.#tell(alarm);
  }

  #tell(alarm: Alarm | AnomalyDetectionAlarm): void {
    alarm.addAlarmAction(new SnsAction(this.#topic));
    this.all.push(alarm);
  }
}

export const FIVE_MINUTES = Duration.minutes(5);
