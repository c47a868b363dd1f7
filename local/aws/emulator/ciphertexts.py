"""What KMS Encrypt returns: a blob that names its key, so that Decrypt finds it.

Pure. A blob is `version(1) || length of key id(1) || key id || nonce(12) || ciphertext || tag(16)` under AES-256-GCM.
This is no format of AWS's, which documents none; it keeps what the service promises: the blob says its key, a
multi-Region key (whose id is longer) included, and opens only with the same encryption context.
"""

import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12


class CiphertextInvalid(Exception):
    """The blob is not one of ours, was changed, or was sealed under another context or other key material."""


def _bound_data(key_id: str, context: dict[str, str]) -> bytes:
    return json.dumps([key_id, sorted(context.items())], ensure_ascii=False).encode()


def seal(key_id: str, material: bytes, plaintext: bytes, context: dict[str, str]) -> bytes:
    nonce, name = os.urandom(NONCE_BYTES), key_id.encode()
    sealed = AESGCM(material).encrypt(nonce, plaintext, _bound_data(key_id, context))
    return bytes([VERSION, len(name)]) + name + nonce + sealed


def key_id_of(blob: bytes) -> str:
    """
    :raises CiphertextInvalid: where the blob has not the form.
    """
    return _split(blob)[0]


def unseal(blob: bytes, material: bytes, context: dict[str, str]) -> bytes:
    """
    :raises CiphertextInvalid: whatever the reason; they are not told apart.
    """
    key_id, nonce, sealed = _split(blob)
    try:
        return AESGCM(material).decrypt(nonce, sealed, _bound_data(key_id, context))
    except (InvalidTag, ValueError):
        raise CiphertextInvalid()


def _split(blob: bytes) -> tuple[str, bytes, bytes]:
    if len(blob) < 2 or blob[0] != VERSION:
        raise CiphertextInvalid()
    name_end = 2 + blob[1]
    nonce_end = name_end + NONCE_BYTES
    try:
        return blob[2:name_end].decode("ascii"), blob[name_end:nonce_end], blob[nonce_end:]
    except UnicodeDecodeError:
        raise CiphertextInvalid()
