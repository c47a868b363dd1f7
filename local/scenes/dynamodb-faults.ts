/** DynamoDB fails, in every way that it can. */

import type { Fault } from '../faulty-aws.ts';
import type { Outage } from './outage.ts';

const SECONDS = 4;

/** A write may have been done where nothing was answered; without the audit nothing is handed out. */
const REFUSALS = ['503 ERR_STORE_UNAVAILABLE', '503 ERR_AUDIT_UNAVAILABLE', '503 ERR_KEY_UNAVAILABLE'];

function harmed(title: string, fault: Omit<Fault, 'service'>, mustGet: readonly string[] = []): Outage {
  return {
    title,
    seconds: SECONDS,
    begin: async ({ faults }) => faults.set({ service: 'dynamodb', ...fault }),
    mayGet: REFUSALS,
    mustGet,
  };
}

const UNAVAILABLE = ['503 ERR_STORE_UNAVAILABLE'];

export const DYNAMODB_FAULTS: Readonly<Record<string, Outage>> = {
  'dynamodb-down': harmed('DynamoDB is down: every call is cut off', { harm: 'cut before' }, UNAVAILABLE),
  'dynamodb-slow': harmed('DynamoDB is slow: an answer takes 0.8 s', { harm: { slowByMs: 800 } }),
  'dynamodb-silent': harmed(
    'DynamoDB is silent: an answer takes 20 s',
    { harm: { slowByMs: 20_000 } },
    UNAVAILABLE,
  ),
  'dynamodb-throttled': harmed('DynamoDB throttles every second call', {
    share: 0.5,
    harm: { answer: 'ProvisionedThroughputExceededException' },
  }),
  'dynamodb-unprocessed': harmed('DynamoDB leaves half of each batch unprocessed', {
    action: 'BatchWriteItem',
    harm: 'half',
  }),
  'dynamodb-cut-after-write': harmed(
    'the connection is cut after each write was done',
    { action: 'BatchWriteItem', harm: 'cut after' },
    UNAVAILABLE,
  ),
  'dynamodb-cut-after-put': harmed('the connection is cut after every second call was done', {
    share: 0.5,
    harm: 'cut after',
  }),
};
