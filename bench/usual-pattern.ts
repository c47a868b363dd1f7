/**
 * The baseline "usual": what is commonly written with AWS's own libraries. For each token the Encryption
 * SDK asks KMS for a data key, and the SDK puts one item; back, it gets the item and asks KMS for the key.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { serveVault } from './bench-app.ts';

/** The tokenizer's own, and cheaper than the library's default, which signs each message. */
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

const TableName = process.env['TOKENMESH_TOKENS_TABLE'] ?? '';

const dynamodb = new DynamoDBClient({});
const keyring = new KmsKeyringNode({ generatorKeyId: process.env['TOKENMESH_KMS_KEY_ARN'] ?? '' });
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

function keyOf(token: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: `usual#${token}` }, sk: { S: 'record' } };
}

async function tokenizeOne(value: string): Promise<string> {
  const token = randomUUID();
  const encryptionContext = { tenant: 'shop', token, field: 'card', class: 'pan' };
  const { result } = await encrypt(keyring, value, { suiteId: SUITE, encryptionContext });
  const Item = { ...keyOf(token), message: { B: result }, createdAt: { S: new Date().toISOString() } };
  await dynamodb.send(
    new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
  );
  return token;
}

async function detokenizeOne(token: string): Promise<string> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName, Key: keyOf(token), ConsistentRead: true }),
  );
  const { plaintext, messageHeader } = await decrypt(keyring, Item?.['message']?.B ?? new Uint8Array());
  if (messageHeader.encryptionContext['token'] !== token) throw new Error('expected the record of the token');
  return plaintext.toString('utf8');
}

await serveVault({
  tokenize: async (values) => await Promise.all(values.map(tokenizeOne)),
  detokenize: async (tokens) => await Promise.all(tokens.map(detokenizeOne)),
});
