import { PolicyStatement, type Conditions } from 'aws-cdk-lib/aws-iam';

/** A right: these actions, on these resources, under these conditions. */
export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Conditions,
): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...resources],
    ...(conditions === undefined ? {} : { conditions }),
  });
}

/** A table's partitions of these keys alone. */
export function onPartitions(...partitions: string[]): Conditions {
  return { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': partitions } };
}
