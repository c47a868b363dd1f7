/**
 * The MACs of the audit, made and checked by KMS under a key that never leaves it.
 *
 * IAM: kms:GenerateMac on the audit's key for the tokenizer; that and kms:VerifyMac for who verifies.
 * Who has either must have no leave to write the table.
 *
 * @module
 */

import {
  GenerateMacCommand,
  KMSInvalidMacException,
  VerifyMacCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import type { AuditMac } from '../core/audit/ports.ts';
import { AuditUnavailableError } from '../core/errors.ts';
import { answeredWithin } from './deadline.ts';

/** What VerifyMac takes (KMS API reference). Whatever is longer was not made by this code. */
const MAX_MESSAGE_BYTES = 4096;
const MAC_BYTES = 32;

export interface KmsAuditMacOptions {
  readonly kms: KMSClient;
  /** The alias, id or ARN of a key of spec HMAC_256. */
  readonly auditKeyId: string;
  /** @default 2500 */
  readonly deadlineMs?: number;
}

export function createKmsAuditMac(options: KmsAuditMacOptions): AuditMac {
  const { kms, auditKeyId: KeyId, deadlineMs = 2_500 } = options;
  const key = { KeyId, MacAlgorithm: 'HMAC_SHA_256' } as const;
  return {
    async macOf(Message) {
      const answer = await answeredWithin(deadlineMs, AuditUnavailableError, (abortSignal) =>
        kms.send(new GenerateMacCommand({ ...key, Message }), { abortSignal }),
      );
      if (answer.Mac === undefined) throw new AuditUnavailableError();
      return answer.Mac;
    },
    isMacOf: async (Message, Mac) =>
      Mac.length === MAC_BYTES &&
      Message.length <= MAX_MESSAGE_BYTES &&
      (await answeredWithin(deadlineMs, AuditUnavailableError, async (abortSignal) => {
        try {
          const answer = await kms.send(new VerifyMacCommand({ ...key, Message, Mac }), { abortSignal });
          return answer.MacValid === true;
        } catch (error) {
          if (error instanceof KMSInvalidMacException) return false;
          throw error;
        }
      })),
  };
}
