import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export interface SealedLogProps {
  readonly name: string;
  /** One of those that CloudWatch Logs takes. */
  readonly days: number;
  readonly keyArn: string;
}

/** A log under the customer's key, for as long as the deployment says. It goes with its stack. */
export class SealedLog extends LogGroup {
  constructor(scope: Construct, id: string, { name, days, keyArn }: SealedLogProps) {
    super(scope, id, {
      logGroupName: name,
      encryptionKey: Key.fromKeyArn(scope, `${id}-key`, keyArn),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    (this.node.defaultChild as CfnLogGroup).retentionInDays = days;
  }
}
