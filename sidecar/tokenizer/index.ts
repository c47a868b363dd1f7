/**
 * The tokenizer as a library: `import ... from 'tokenmesh/tokenizer'`. All of it is documented in
 * docs/library.md, and nothing else is public.
 *
 * @module
 */

export { TokenmeshError, type ErrorCode } from '../../errors/error.ts';
export { createEgress } from '../../runtime/egress.ts';
export { createAwsClients, type AwsClients, type ClientConfig } from './adapters/aws-clients.ts';
export type { KeyStoreLocation } from './adapters/branch-key-store.ts';
export { tokensTable } from './adapters/dynamodb-sweep-store.ts';
export { createBranchKey, type KeyOwner } from './adapters/branch-keys.ts';
export { TokenizerError } from './client/tokenizer-answers.ts';
export {
  createTokenizerClient,
  type BatchOptions,
  type MeshTokenizer,
  type TokenizerClientOptions,
} from './client/tokenizer-client.ts';
export type {
  BatchResult,
  DetokenizeRequest,
  Fields,
  FieldToTokenize,
  RevealedField,
  RevealedFields,
  TokenDescription,
  TokenizedRecord,
  Tokenizer,
  TokenizeRequest,
  TokenQuery,
} from './client/tokenizer.ts';
export type { AuditRecord } from './core/audit/record.ts';
export type { Swept } from './core/sweeping.ts';
export type { AuditVerification } from './core/audit/verify-audit.ts';
export { isToken, type RecognizedToken } from './core/token.ts';
export { openAudit, type OpenAudit } from './open-audit.ts';
export { openVault, type CallContext, type OpenVault } from './open-vault.ts';
export type { AuditOptions, CallerAccess, VaultFault, VaultOptions } from './vault-options.ts';
export type { ArchivedToken, ReplaceRequest, VaultTokenizer } from './vault-tokenizer.ts';
