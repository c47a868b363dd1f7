/**
 * The security team's part, which it puts into the layer: the vault of cards in a table of its own, and
 * which function may do what with it. The functions know nothing of keys.
 *
 * @module
 */

import { openVault } from 'tokenmesh/tokenizer';

const { env } = process;

export const cardVault = openVault({
  kmsKeyArn: env['TOKENMESH_KMS_KEY_ARN'] ?? '',
  tokensTableName: 'CreditCardTokenizerTable',
  ...(env['TOKENMESH_KEYS_TABLE'] === undefined ? {} : { keysTableName: env['TOKENMESH_KEYS_TABLE'] }),
  ...(env['TOKENMESH_AUDIT_TABLE'] === undefined ? {} : { auditTableName: env['TOKENMESH_AUDIT_TABLE'] }),
  ...(env['TOKENMESH_AUDIT_KEY_ID'] === undefined ? {} : { auditKeyId: env['TOKENMESH_AUDIT_KEY_ID'] }),
  callers: {
    'place-order': {
      tenants: ['shop'],
      grants: [
        { operation: 'tokenize', classes: ['pan', 'expiry', 'name'] },
        { operation: 'delete', classes: ['pan', 'expiry', 'name'] },
      ],
    },
    'pay-order': {
      tenants: ['shop'],
      grants: [{ operation: 'detokenize', classes: ['pan', 'expiry', 'name'], plainFor: ['payment'] }],
    },
  },
});
