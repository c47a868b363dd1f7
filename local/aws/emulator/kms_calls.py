"""The calls of KMS that moto lacks, or answers without asking what algorithm was meant."""

import base64
import json
from datetime import datetime, timezone
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from moto.kms.exceptions import InvalidCiphertextException, InvalidKeyUsageException, ValidationException
from moto.kms.models import Key
from moto.kms.responses import KmsResponse

from .key_import import oaep
from .kms import EmulatedKmsBackend

SYMMETRIC = "SYMMETRIC_DEFAULT"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class KmsCalls(KmsResponse):
    @property
    def backend(self) -> EmulatedKmsBackend:
        return self.kms_backend  # type: ignore[return-value]

    def _encryption_algorithm(self) -> str:
        return self._get_param("EncryptionAlgorithm") or SYMMETRIC

    def _key_id(self) -> str:
        key_id = self._get_param("KeyId")
        self._validate_key_id(key_id)
        return key_id

    def _rsa_key(self) -> tuple[Key, rsa.RSAPrivateKey]:
        key = self.backend.usable_key(self._key_id())
        if self._encryption_algorithm() not in (key.encryption_algorithms or []):
            raise InvalidKeyUsageException()
        return key, key.private_key.private_key  # type: ignore[attr-defined]

    def encrypt(self) -> str:
        algorithm = self._encryption_algorithm()
        if algorithm == SYMMETRIC:
            return _with(super().encrypt(), EncryptionAlgorithm=algorithm)
        key, private_key = self._rsa_key()
        try:
            sealed = private_key.public_key().encrypt(self._get_param("Plaintext"), oaep(algorithm))
        except ValueError:
            raise ValidationException(f"The plaintext is too long for {key.key_spec} and {algorithm}")
        return json.dumps({"CiphertextBlob": _text(sealed), "KeyId": key.arn, "EncryptionAlgorithm": algorithm})

    def decrypt(self) -> str:
        algorithm = self._encryption_algorithm()
        if algorithm == SYMMETRIC:
            return _with(super().decrypt(), EncryptionAlgorithm=algorithm)
        key, private_key = self._rsa_key()
        try:
            opened = private_key.decrypt(self._get_param("CiphertextBlob"), oaep(algorithm))
        except ValueError:
            raise InvalidCiphertextException()
        return json.dumps({"Plaintext": _text(opened), "KeyId": key.arn, "EncryptionAlgorithm": algorithm})

    def describe_key(self) -> str:
        key = self.backend.key_of(self._key_id())
        described = json.loads(super().describe_key())
        record = self.backend.imports.get(key.id)
        if record is not None and key.key_material is not None:
            described["KeyMetadata"]["ExpirationModel"] = record.expiration_model
            if record.valid_to is not None:
                described["KeyMetadata"]["ValidTo"] = record.valid_to.timestamp()
        return json.dumps(described)

    def get_parameters_for_import(self) -> str:
        arn, parameters = self.backend.parameters_for_import(
            self._key_id(), self._get_param("WrappingAlgorithm"), self._get_param("WrappingKeySpec")
        )
        return json.dumps(
            {
                "KeyId": arn,
                "ImportToken": _text(parameters.token),
                "PublicKey": _text(parameters.public_key),
                "ParametersValidTo": parameters.valid_to.timestamp(),
            }
        )

    def import_key_material(self) -> str:
        arn = self.backend.import_key_material(
            self._key_id(),
            base64.b64decode(self._get_param("ImportToken")),
            base64.b64decode(self._get_param("EncryptedKeyMaterial")),
            self._material_valid_to(),
        )
        return json.dumps({"KeyId": arn})

    def _material_valid_to(self) -> datetime | None:
        """Material expires unless the call says that it does not (API reference, ImportKeyMaterial)."""
        if self._get_param("ExpirationModel") == "KEY_MATERIAL_DOES_NOT_EXPIRE":
            return None
        valid_to = self._get_param("ValidTo")
        if valid_to is None:
            raise ValidationException("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        moment = datetime.fromtimestamp(valid_to, timezone.utc)
        if moment <= datetime.now(timezone.utc):
            raise ValidationException("The validTo date must be in the future")
        return moment

    def delete_imported_key_material(self) -> str:
        return json.dumps({"KeyId": self.backend.delete_imported_key_material(self._key_id())})


def _with(answer: str, **more: Any) -> str:
    return json.dumps({**json.loads(answer), **more})
