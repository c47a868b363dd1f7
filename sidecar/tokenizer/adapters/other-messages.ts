/**
 * Opens Encryption SDK messages of other shapes than ours with the official library, under the same
 * branch keys: other committing suites, several frames, several data keys.
 *
 * @module
 */

import {
  buildClient,
  CommitmentPolicy,
  KeyringNode,
  KeyringTraceFlag,
  type EncryptedDataKey,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import { branchKeyIdOf } from '../core/crypto/branch-key-id.ts';
import type { OpenedElsewhere } from '../core/crypto/branch-key-sealer.ts';
import { contextBytes } from '../core/crypto/context-bytes.ts';
import { PROVIDER_ID, unwrapDataKey, versionInWrapped } from '../core/crypto/data-key.ts';
import type { KeyCache } from '../core/crypto/key-cache.ts';
import { versionText } from '../core/crypto/version-bytes.ts';
import { KeyUnavailableError } from '../core/errors.ts';

/** More than any keyring that we know of writes. */
const MAX_DATA_KEYS = 10;

export function createOtherMessages(keys: KeyCache): (message: Uint8Array) => Promise<OpenedElsewhere> {
  const { decrypt } = buildClient({
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: MAX_DATA_KEYS,
  });
  const opened = async (message: Uint8Array): Promise<OpenedElsewhere> => {
    const keyring = new CachedKeyring(keys);
    try {
      const { plaintext, messageHeader } = await decrypt(keyring, message);
      return { plaintext, context: messageHeader.encryptionContext };
    } catch (error) {
      throw keyring.outage ?? error;
    }
  };
  /** The library ignores what follows a message: then, and only then, one byte less opens too. */
  const isLonger = async (message: Uint8Array): Promise<boolean> => {
    try {
      await opened(message.subarray(0, -1));
      return true;
    } catch (error) {
      if (error instanceof KeyUnavailableError) throw error;
      return false;
    }
  };
  return async (message) => {
    const found = await opened(message);
    if (await isLonger(message)) throw new Error('expected nothing after the end of the message');
    return found;
  };
}

const PROVIDER_NAME = PROVIDER_ID.toString();

/** The hierarchical keyring, reading alone, with keys from our own cache. One for each message. */
class CachedKeyring extends KeyringNode {
  readonly #keys: KeyCache;
  /** That a key could not be had: the library turns every failure into one text. */
  outage: KeyUnavailableError | undefined;

  constructor(keys: KeyCache) {
    super();
    this.#keys = keys;
  }

  async _onEncrypt(): Promise<NodeEncryptionMaterial> {
    throw new Error('expected to open messages only');
  }

  async _onDecrypt(
    material: NodeDecryptionMaterial,
    dataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const id = branchKeyIdOf(material.encryptionContext);
    const context = contextBytes(material.encryptionContext);
    for (const { providerId, providerInfo, encryptedDataKey } of dataKeys) {
      if (providerId !== PROVIDER_NAME || providerInfo !== id) continue;
      const dataKey = await this.#unwrap(id, context, encryptedDataKey);
      if (dataKey === undefined) continue;
      // The library declares KeyObject anew, with fewer types of keys.
      const taken = dataKey as Parameters<NodeDecryptionMaterial['setUnencryptedDataKey']>[0];
      const flags = KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY;
      return material.setUnencryptedDataKey(taken, { keyNamespace: PROVIDER_NAME, keyName: id, flags });
    }
    return material;
  }

  async #unwrap(id: string, context: Uint8Array, wrapped: Uint8Array) {
    const version = versionInWrapped(wrapped);
    if (version === undefined) return undefined;
    try {
      const branchKey = await this.#keys.version(id, versionText(version), wrapped.length);
      return branchKey === undefined ? undefined : unwrapDataKey(branchKey, context, wrapped);
    } catch (error) {
      if (error instanceof KeyUnavailableError) this.outage = error;
      throw error;
    }
  }
}
