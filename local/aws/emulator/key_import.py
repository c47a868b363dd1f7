"""Bringing key material of one's own into KMS: wrapping key, import token, and what is remembered of an import.

Pure but for randomness. After "Importing key material" in the KMS developer guide.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

PARAMETERS_LIFETIME = timedelta(hours=24)

_OAEP_HASHES = {"SHA_1": hashes.SHA1, "SHA_256": hashes.SHA256}
_WRAPPING_ALGORITHMS = (
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
)
_WRAPPING_KEY_BITS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}

MATERIAL_BYTES = {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
"""How long the material of each kind of key has to be. Asymmetric material is not taken here."""


def oaep(algorithm: str) -> padding.OAEP:
    """The padding of RSAES_OAEP_SHA_1 and RSAES_OAEP_SHA_256 (RFC 8017 section 7.1, no label)."""
    digest = _OAEP_HASHES["SHA_256" if algorithm.endswith("SHA_256") else "SHA_1"]()
    return padding.OAEP(padding.MGF1(digest), digest, None)


class UnwrapFailed(Exception):
    """The wrapped material does not open with the wrapping key."""


@dataclass(frozen=True)
class ImportParameters:
    """What GetParametersForImport gave for one import."""

    wrapping_key: rsa.RSAPrivateKey
    wrapping_algorithm: str
    token: bytes
    valid_to: datetime

    @property
    def public_key(self) -> bytes:
        return self.wrapping_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def unwrap(self, wrapped: bytes) -> bytes:
        """
        :raises UnwrapFailed: whatever the reason.
        """
        padding_used = oaep(self.wrapping_algorithm)
        try:
            if self.wrapping_algorithm.startswith("RSAES_OAEP"):
                return self.wrapping_key.decrypt(wrapped, padding_used)
            modulus_bytes = self.wrapping_key.key_size // 8
            aes_key = self.wrapping_key.decrypt(wrapped[:modulus_bytes], padding_used)
            return aes_key_unwrap_with_padding(aes_key, wrapped[modulus_bytes:])
        except (ValueError, InvalidUnwrap):
            raise UnwrapFailed()


def new_parameters(wrapping_algorithm: str, wrapping_key_spec: str, now: datetime) -> ImportParameters:
    if wrapping_algorithm not in _WRAPPING_ALGORITHMS or wrapping_key_spec not in _WRAPPING_KEY_BITS:
        raise ValueError(
            f"wrapping with {wrapping_algorithm} and {wrapping_key_spec} is not supported: "
            f"expected one of {', '.join(_WRAPPING_ALGORITHMS)} and one of {', '.join(_WRAPPING_KEY_BITS)}"
        )
    wrapping_key = rsa.generate_private_key(public_exponent=65537, key_size=_WRAPPING_KEY_BITS[wrapping_key_spec])
    return ImportParameters(wrapping_key, wrapping_algorithm, os.urandom(64), now + PARAMETERS_LIFETIME)


def fingerprint_of(material: bytes) -> str:
    return hashlib.sha256(material).hexdigest()


@dataclass
class ImportRecord:
    """What KMS remembers of a key of EXTERNAL origin: the same material may come again, other never."""

    fingerprint: str | None = None
    parameters: ImportParameters | None = None
    valid_to: datetime | None = None

    @property
    def expiration_model(self) -> str:
        return "KEY_MATERIAL_EXPIRES" if self.valid_to else "KEY_MATERIAL_DOES_NOT_EXPIRE"
