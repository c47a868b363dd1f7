/** What DynamoDB answered instead of a result. Its text may name keys, so it is not part of the message. */
export class DynamodbCallError extends Error {
  /** Whether the same call may succeed a moment later. */
  readonly isTransient: boolean;

  /** @param name - DynamoDB's own: `ConditionalCheckFailedException` and the like. */
  constructor(name: string, message: string, isTransient: boolean) {
    super(message);
    this.name = name;
    this.isTransient = isTransient;
  }
}

/** Refused for the time being, though with 400 (DynamoDB developer guide, "Error handling"). */
const TRANSIENT: ReadonlySet<string> = new Set([
  'InternalServerError',
  'ItemCollectionSizeLimitExceededException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
]);

/** @param isDatedAnew - Whether the next signature has another date: then it may be taken. */
export function failureOf(
  operation: string,
  status: number,
  body: string,
  isDatedAnew: boolean,
): DynamodbCallError {
  const name = nameIn(body);
  const message = `${operation} was refused with ${status}: expected DynamoDB to take it, got ${name}`;
  return new DynamodbCallError(name, message, status >= 500 || TRANSIENT.has(name) || isDatedAnew);
}

/** `__type` is `com.amazonaws.dynamodb.v20120810#<name>`. What is no JSON comes from something else than DynamoDB. */
function nameIn(body: string): string {
  try {
    const { __type: type } = JSON.parse(body) as { __type?: unknown };
    return (typeof type === 'string' ? type.split('#').at(-1) : undefined) ?? 'UnknownError';
  } catch {
    return 'UnreadableAnswer';
  }
}

/** Whether a condition did not hold: of the SDK's errors and of ours alike. */
export function isConditionFailed(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}
