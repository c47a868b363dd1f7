import { randomUUID } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { contextOf, partOf, unreadable, type BulkRecord, type Part } from '../../queue/part.ts';
import type { BulkAnswer, BulkTokenizer, PartOpener, PartSealer } from '../../queue/ports.ts';

export const PAN = '4111111111111111';

export function partWith(changes: Partial<Part> = {}): Part {
  return {
    load: randomUUID(),
    part: 1,
    firstRow: 1,
    items: [recordWith(PAN), recordWith('4242424242424242')],
    ...changes,
  };
}

export function recordWith(value: string): BulkRecord {
  return { fields: { number: { class: 'pan', value } } };
}

/** Seals by writing down: for tests of what is done with a part once it is open. */
export const openly: PartSealer & PartOpener = {
  seal: async (part) => JSON.stringify([contextOf(part), part.items]),
  async open(sealed) {
    try {
      const [context, items] = JSON.parse(sealed) as [unknown, unknown];
      return partOf(context, JSON.stringify(items));
    } catch (cause) {
      throw unreadable('it does not open', cause);
    }
  },
};

/** Makes one token for each record and key, as the tokenizer does under an idempotency key. */
export class TokenizerUnderTest implements BulkTokenizer {
  readonly made = new Map<string, string>();
  readonly calls: string[] = [];
  /** What a record gets in place of a token. */
  instead: (record: BulkRecord) => BulkAnswer | undefined = () => undefined;

  async tokenize(records: readonly BulkRecord[], idempotencyKey: string): Promise<readonly BulkAnswer[]> {
    this.calls.push(idempotencyKey);
    return records.map((record, index) => {
      const other = this.instead(record);
      if (other !== undefined) return other;
      const name = `${idempotencyKey} ${index}`;
      const token = this.made.get(name) ?? `tkn_${this.made.size + 1}`;
      this.made.set(name, token);
      return { token };
    });
  }
}

/** As Lambda has it from SQS. */
export function eventOf(
  bodies: readonly { readonly body: string; readonly group?: string }[],
  queue = 'tokenmesh-bulk',
): SQSEvent {
  return {
    Records: bodies.map(({ body, group }, index): SQSRecord => {
      return {
        messageId: `message-${index + 1}`,
        receiptHandle: randomUUID(),
        body,
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: '0',
          SenderId: 'sender',
          ApproximateFirstReceiveTimestamp: '0',
          ...(group === undefined ? {} : { MessageGroupId: group }),
        },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: `arn:aws:sqs:us-east-1:123456789012:${queue}`,
        awsRegion: 'us-east-1',
      };
    }),
  };
}
