/**
 * The rows of the audit as DynamoDB items: docs/audit.md.
 *
 * @module
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { StoredSeal, StoredSegment } from '../core/audit/ports.ts';
import { sealKey, segmentKey } from '../core/audit/row-keys.ts';
import type { Seal } from '../core/audit/seal.ts';
import type { Segment } from '../core/audit/segment.ts';
import type { Item } from './record-item.ts';

export function segmentItem({ writer, sequence, body, hash, mac }: Segment): Item {
  return {
    pk: { S: writer },
    sk: { S: segmentKey(sequence) },
    body: { S: body },
    hash: { S: hash },
    mac: { S: mac },
  };
}

export function sealItem({ writer, number, body, mac }: Seal): Item {
  return { pk: { S: writer }, sk: { S: sealKey(number) }, body: { S: body }, mac: { B: mac } };
}

/**
 * In the tokens table. No record is there: a record's key ends in a token.
 *
 * @param region - Whose audit it is: the rows of the table may be those of other regions too.
 */
export function outsidePartition(region: string): AttributeValue {
  return { S: `audit#heads#${region}` };
}

export function outsideKey(region: string, writer: string): Item {
  return { pk: outsidePartition(region), sk: { S: writer } };
}

export function outsideItem(region: string, { writer, number, body, mac }: Seal): Item {
  return {
    ...outsideKey(region, writer),
    sealNumber: { N: String(number) },
    body: { S: body },
    mac: { B: mac },
  };
}

export function storedSegment(item: Item): StoredSegment {
  return {
    sortKey: item['sk']?.S ?? '',
    body: item['body']?.S ?? '',
    hash: item['hash']?.S ?? '',
    mac: item['mac']?.S ?? '',
  };
}

export function storedSeal(item: Item): StoredSeal {
  return {
    sortKey: item['sk']?.S ?? '',
    body: item['body']?.S ?? '',
    mac: item['mac']?.B ?? new Uint8Array(),
  };
}
