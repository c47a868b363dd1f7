"""One CA of ACM Private CA: moto's, with a key of the algorithm that was asked for, and a memory of what it signed."""

import threading
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.acmpca.exceptions import (
    InvalidStateException,
    MalformedCertificateAuthorityException,
    ResourceNotFoundException,
)
from moto.acmpca.models import CertificateAuthority
from moto.core.exceptions import JsonRESTError

from . import certificates, settings
from .certificates import Order, Signer, Template
from .issuance import Orders
from .revocation_lists import CrlPlace, Revocation, build_crl, place_of

SHORT_LIVED_LIMIT = timedelta(days=7)


def _public_bytes(key: certificates.PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class IssuingAuthority(CertificateAuthority):
    def __init__(self, usage_mode: str, **described: Any):
        super().__init__(**described)
        configuration = self.certificate_authority_configuration
        self.signing_key = certificates.generate_key(configuration["KeyAlgorithm"])
        self.signing_hash = certificates.hash_for(configuration["SigningAlgorithm"], self.signing_key)
        self.usage_mode = usage_mode
        self.permissions: dict[str, dict[str, Any]] = {}
        self.issued_serials: set[int] = set()
        self.revocations: dict[int, Revocation] = {}
        self.orders = Orders(settings.PCA_ISSUE_DELAY.total_seconds())
        self.lock = threading.RLock()

    @property
    def key(self) -> certificates.PrivateKey:  # type: ignore[override]
        return self.signing_key

    @property
    def crl_place(self) -> CrlPlace | None:
        return place_of(self.revocation_configuration, self.id, self.region_name)

    @property
    def chain_from_here(self) -> bytes:
        """The CA's own certificate and those above it, up to the root."""
        return b"\n".join(pem.strip() for pem in (self.certificate_bytes, self.certificate_chain) if pem) + b"\n"

    def issue(self, order: Order, template: Template, signing_hash: Any = None) -> tuple[str, x509.Certificate]:
        """Signs, keeps the certificate for GetCertificate, and gives its ARN and itself."""
        self._check_state(template)
        self._check_validity(order, template)
        place = self.crl_place
        certificate = certificates.sign(
            Signer(self.signing_key, signing_hash or self.signing_hash, self.certificate, place and place.url),
            order,
            template,
        )
        arn = f"{self.arn}/certificate/{uuid.uuid4().hex}"
        with self.lock:
            self.issued_serials.add(certificate.serial_number)
            self.issued_certificates[arn] = certificates.pem_of(certificate)
            if not template.is_root:
                self.issued_certificates_certificate_chains[arn] = self.chain_from_here
        return arn, certificate

    def _check_state(self, template: Template) -> None:
        usable = ("PENDING_CERTIFICATE", "ACTIVE") if template.is_root else ("ACTIVE",)
        if self.status not in usable:
            raise InvalidStateException(self.arn)

    def _check_validity(self, order: Order, template: Template) -> None:
        now = datetime.now(timezone.utc)
        if order.not_after <= max(now, order.not_before):
            raise JsonRESTError("ValidationException", "The certificate validity specified is in the past")
        if template.is_root:
            return
        if self.certificate is not None and order.not_after > self.certificate.not_valid_after_utc:
            raise JsonRESTError(
                "ValidationException",
                "The certificate validity specified exceeds the certificate authority validity",
            )
        if self.usage_mode == "SHORT_LIVED_CERTIFICATE" and order.not_after > now + SHORT_LIVED_LIMIT:
            raise JsonRESTError(
                "ValidationException",
                "The certificate validity specified exceeds seven days, the limit of SHORT_LIVED_CERTIFICATE",
            )

    def import_certificate_authority_certificate(self, certificate: bytes, certificate_chain: bytes | None) -> None:
        try:
            parsed = x509.load_pem_x509_certificate(certificate)
        except ValueError:
            raise MalformedCertificateAuthorityException()
        if _public_bytes(parsed.public_key()) != _public_bytes(self.signing_key.public_key()):
            raise JsonRESTError("CertificateMismatchException", "The certificate is not one for this CA's key")
        if self.certificate_authority_type == "SUBORDINATE" and not certificate_chain:
            raise JsonRESTError("InvalidRequestException", "A subordinate CA needs the certificate chain above it")
        super().import_certificate_authority_certificate(certificate, certificate_chain)

    def revoke(self, serial: int, reason: str) -> None:
        with self.lock:
            if serial not in self.issued_serials:
                raise ResourceNotFoundException(f"{self.arn} certificate {certificates.serial_text(serial)}")
            if serial in self.revocations:
                raise JsonRESTError("RequestAlreadyProcessedException", "The certificate is revoked already")
            self.revocations[serial] = Revocation(datetime.now(timezone.utc), reason)

    def publish_crl(self) -> None:
        """Writes the list into S3, where one is kept; moto's S3 is loaded only for that."""
        place = self.crl_place
        if place is None or self.certificate is None:
            return
        from moto.s3.models import get_canned_acl, s3_backends

        now = datetime.now(timezone.utc)
        with self.lock:
            der = build_crl(self.certificate, self.signing_key, self.revocations, now, place.lifetime)
            written = s3_backends[self.account_id]["aws"].put_object(place.bucket, place.key, der)
            if place.is_public:
                written.set_acl(get_canned_acl("public-read"))

    def grants(self, principal: str, *actions: str) -> bool:
        granted = self.permissions.get(principal, {}).get("Actions", [])
        return all(action in granted for action in actions)

    def to_json(self) -> dict[str, Any]:
        described = super().to_json()
        if self.certificate is not None:
            described["Serial"] = certificates.serial_text(self.certificate.serial_number)
        return described
