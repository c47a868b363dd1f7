"""KMS: key states that count, multi-Region keys that work, RSAES_OAEP, and key material of one's own.

Closed here, in the backend; kms_calls.py holds the calls. The rest is moto's.
"""

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import moto.kms.urls as moto_urls
from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import InvalidCiphertextException, InvalidKeyUsageException, ValidationException
from moto.kms.models import Key, KmsBackend, kms_backends

from . import ciphertexts, key_import
from .ciphertexts import CiphertextInvalid
from .key_import import ImportParameters, ImportRecord, UnwrapFailed

PLAINTEXT_LIMIT_BYTES = 4096

_STATES_SAID = {"PendingDeletion": "pending deletion", "PendingImport": "pending import"}


class DisabledException(JsonRESTError):
    def __init__(self, arn: str):
        super().__init__("DisabledException", f"{arn} is disabled.")


class KMSInvalidStateException(JsonRESTError):
    def __init__(self, arn: str, state: str):
        super().__init__("KMSInvalidStateException", f"{arn} is {_STATES_SAID.get(state, state)}.")


class IncorrectKeyException(JsonRESTError):
    def __init__(self) -> None:
        super().__init__(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )


class UnsupportedOperationException(JsonRESTError):
    def __init__(self, arn: str):
        super().__init__("UnsupportedOperationException", f"{arn} has no key material of EXTERNAL origin.")


def _now() -> datetime:
    return datetime.now(timezone.utc)


class EmulatedKmsBackend(KmsBackend):
    def __init__(self, region_name: str, account_id: str | None = None):
        super().__init__(region_name, account_id)
        self.imports: dict[str, ImportRecord] = {}

    @property
    def _url_module(self) -> Any:
        from .kms_calls import KmsCalls

        paths = {path: KmsCalls.dispatch for path in moto_urls.url_paths}
        return SimpleNamespace(url_bases=moto_urls.url_bases, url_paths=paths)

    def key_of(self, any_id: str) -> Key:
        """The key behind an id, ARN or alias, after the material of an import that expired is gone."""
        key = self.keys[self.any_id_to_key_id(any_id)]
        record = self.imports.get(key.id)
        if record and record.valid_to and record.valid_to <= _now() and key.key_state == "Enabled":
            self._drop_material(key)
        return key

    def usable_key(self, any_id: str) -> Key:
        """
        :raises DisabledException: and KMSInvalidStateException ("Key states" in the KMS developer guide).
        """
        key = self.key_of(any_id)
        if key.key_state == "Disabled":
            raise DisabledException(key.arn)
        if key.key_state != "Enabled":
            raise KMSInvalidStateException(key.arn, key.key_state)
        return key

    def create_key(self, policy, key_usage, *args, **more):  # type: ignore[no-untyped-def]
        key = super().create_key(policy, key_usage or "ENCRYPT_DECRYPT", *args, **more)
        if key.origin == "EXTERNAL":
            if key.key_spec not in key_import.MATERIAL_BYTES:
                del self.keys[key.id]
                raise ValidationException(f"KeySpec {key.key_spec} is not supported with Origin EXTERNAL")
            self.imports[key.id] = ImportRecord()
            self._drop_material(key)
        return key

    def replicate_key(self, key_id: str, replica_region: str) -> Key:
        """A replica shares id and material; its aliases, grants and imports are its own ("Shared properties")."""
        replica = super().replicate_key(self.key_of(key_id).id, replica_region)
        replica.aliases, replica.grants = {}, {}
        shared = replica.multi_region_configuration
        replica.multi_region_configuration = {**shared, "MultiRegionKeyType": "REPLICA"}
        if replica.origin == "EXTERNAL":
            there = kms_backends[self.account_id][replica_region]
            there.imports[replica.id] = ImportRecord(self.imports[replica.id].fingerprint)
            there._drop_material(replica)
        return replica

    def encrypt(self, key_id: str, plaintext: bytes, encryption_context: dict[str, str]) -> tuple[bytes, str]:
        key = self.usable_key(key_id)
        if key.key_spec != "SYMMETRIC_DEFAULT" or key.key_usage != "ENCRYPT_DECRYPT":
            raise InvalidKeyUsageException()
        if not 1 <= len(plaintext) <= PLAINTEXT_LIMIT_BYTES:
            raise ValidationException(
                "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
                f"Member must have length between 1 and {PLAINTEXT_LIMIT_BYTES}"
            )
        return ciphertexts.seal(key.id, key.key_material, plaintext, encryption_context), key.arn

    def decrypt(
        self, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> tuple[bytes, str]:
        try:
            sealed_under = ciphertexts.key_id_of(ciphertext_blob)
            if sealed_under not in self.keys:
                raise CiphertextInvalid()
            if key_id is not None and self.key_of(key_id).id != sealed_under:
                raise IncorrectKeyException()
            key = self.usable_key(sealed_under)
            return ciphertexts.unseal(ciphertext_blob, key.key_material, encryption_context), key.arn
        except CiphertextInvalid:
            raise InvalidCiphertextException()

    def generate_mac(self, message, key_id, *args, **more):  # type: ignore[no-untyped-def]
        return super().generate_mac(message, self.usable_key(key_id).id, *args, **more)

    def sign(self, key_id: str, message: bytes, signing_algorithm: str) -> tuple[str, bytes, str]:
        return super().sign(self.usable_key(key_id).id, message, signing_algorithm)

    def verify(
        self, key_id: str, message: bytes, signature: bytes, signing_algorithm: str
    ) -> tuple[str, bool, str]:
        return super().verify(self.usable_key(key_id).id, message, signature, signing_algorithm)

    def disable_key(self, key_id: str) -> None:
        super().disable_key(self._switchable_key(key_id).id)

    def enable_key(self, key_id: str) -> None:
        super().enable_key(self._switchable_key(key_id).id)

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        key = self.key_of(key_id)
        if key.key_state == "PendingDeletion":
            raise KMSInvalidStateException(key.arn, key.key_state)
        return super().schedule_key_deletion(key.id, pending_window_in_days)

    def cancel_key_deletion(self, key_id: str) -> None:
        key = self.key_of(key_id)
        super().cancel_key_deletion(key.id)
        if key.key_material is None:
            key.key_state = "PendingImport"

    def _switchable_key(self, any_id: str) -> Key:
        key = self.key_of(any_id)
        if key.key_state not in ("Enabled", "Disabled"):
            raise KMSInvalidStateException(key.arn, key.key_state)
        return key

    def _import_record(self, any_id: str) -> tuple[Key, ImportRecord]:
        key = self.key_of(any_id)
        if key.id not in self.imports:
            raise UnsupportedOperationException(key.arn)
        if key.key_state == "PendingDeletion":
            raise KMSInvalidStateException(key.arn, key.key_state)
        return key, self.imports[key.id]

    def parameters_for_import(self, any_id: str, algorithm: str, key_spec: str) -> tuple[str, ImportParameters]:
        key, record = self._import_record(any_id)
        try:
            record.parameters = key_import.new_parameters(algorithm, key_spec, _now())
        except ValueError as error:
            raise ValidationException(str(error))
        return key.arn, record.parameters

    def import_key_material(self, any_id: str, token: bytes, wrapped: bytes, valid_to: datetime | None) -> str:
        """The same material as the first time, or none: a key never changes what it opens."""
        key, record = self._import_record(any_id)
        if record.parameters is None or record.parameters.token != token:
            raise JsonRESTError("InvalidImportTokenException", "The import token does not belong to this key.")
        if record.parameters.valid_to <= _now():
            raise JsonRESTError("ExpiredImportTokenException", "The import token is expired.")
        try:
            material = record.parameters.unwrap(wrapped)
        except UnwrapFailed:
            raise InvalidCiphertextException()
        is_other = record.fingerprint not in (None, key_import.fingerprint_of(material))
        if is_other or len(material) != key_import.MATERIAL_BYTES[key.key_spec]:
            raise JsonRESTError("IncorrectKeyMaterialException", "The key material is not the one expected.")
        record.fingerprint, record.valid_to = key_import.fingerprint_of(material), valid_to
        key.key_material, key.key_state, key.enabled = material, "Enabled", True
        return key.arn

    def delete_imported_key_material(self, any_id: str) -> str:
        key, _ = self._import_record(any_id)
        self._drop_material(key)
        return key.arn

    def _drop_material(self, key: Key) -> None:
        key.key_material = None  # type: ignore[assignment]
        key.key_state, key.enabled = "PendingImport", False


def install() -> None:
    kms_backends.backend = EmulatedKmsBackend
