import {
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { callAws, isAwsError } from '../../cert-exporter/adapters/aws-failure.ts';
import type { PartName, ResultStore } from '../ports.ts';
import { linesFromText, linesToText } from '../results.ts';

export interface ResultsBucket {
  readonly client: S3Client;
  readonly bucket: string;
}

/** Digits of a part's number in its key, so that keys are in the order of the file. */
const PART_DIGITS = 9;

/**
 * The results in S3: one object for each part, never written twice.
 *
 * Needs `s3:GetObject`, `s3:PutObject` and `s3:ListBucket`; without the last, a missing object would be
 * refused instead of missing. The bucket encrypts by itself, under the customer key.
 */
export function createS3Results({ client, bucket }: ResultsBucket): ResultStore {
  const at = (name: PartName): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: keyOf(name) });
  return {
    has: async (name) =>
      await callAws({ action: 's3:GetObject', resource: bucket }, async () => {
        try {
          await client.send(new HeadObjectCommand(at(name)));
          return true;
        } catch (error) {
          if (isAwsError(error, 'NotFound', 'NoSuchKey')) return false;
          throw error;
        }
      }),
    insert: async (name, lines) =>
      await callAws({ action: 's3:PutObject', resource: bucket }, async () => {
        const object = { ...at(name), Body: linesToText(lines), ContentType: 'application/x-ndjson' };
        try {
          await client.send(new PutObjectCommand({ ...object, IfNoneMatch: '*' }));
          return 'stored';
        } catch (error) {
          if (isAwsError(error, 'PreconditionFailed')) return 'exists';
          throw error;
        }
      }),
    list: async (load) =>
      await callAws({ action: 's3:ListBucket', resource: bucket }, async () => {
        const found: number[] = [];
        const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `loads/${load}/` });
        for await (const { Contents = [] } of pages)
          found.push(...Contents.map(({ Key = '' }) => partOfKey(Key)));
        return found;
      }),
    read: async (name) =>
      await callAws({ action: 's3:GetObject', resource: bucket }, async () => {
        const { Body } = await client.send(new GetObjectCommand(at(name)));
        return linesFromText((await Body?.transformToString()) ?? '');
      }),
  };
}

function keyOf({ load, part }: PartName): string {
  return `loads/${load}/${String(part).padStart(PART_DIGITS, '0')}.jsonl`;
}

function partOfKey(key: string): number {
  return Number(/(\d+)\.jsonl$/.exec(key)?.[1]);
}
