"""One certificate that ACM takes from a private CA, through request, issue, export and renewal.

ACM answers before it has done what was asked. Here too: what is due happens at the first look after the delay, so
that no timer is needed and nobody can see a state that has not come yet.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from moto.acm.exceptions import AWSValidationException
from moto.acm.models import TagHolder
from moto.core.exceptions import AWSError

from .certificates import PrivateKey, pem_of, serial_text

EXTENDED_KEY_USAGES = [
    {"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": ExtendedKeyUsageOID.SERVER_AUTH.dotted_string},
    {"Name": "TLS_WEB_CLIENT_AUTHENTICATION", "OID": ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string},
]


class IssuanceRefused(Exception):
    """The CA does not issue. The reason is one of ACM's FailureReason values."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class RequestInProgressException(AWSError):
    TYPE = "RequestInProgressException"


@dataclass(frozen=True)
class Wish:
    """What was asked for, and will be again at each renewal."""

    domain: str
    names: list[str]
    authority_arn: str
    key_algorithm: str


@dataclass(frozen=True)
class Issued:
    """What the CA gave: a leaf, the certificates above it, and the key that ACM made for it."""

    leaf: x509.Certificate
    chain: bytes
    key: PrivateKey
    at: datetime


@dataclass
class Renewal:
    """ACM's RenewalSummary: PENDING_AUTO_RENEWAL, then SUCCESS or FAILED with a reason."""

    status: str
    updated_at: datetime
    reason: str | None = None

    def describe(self) -> dict[str, Any]:
        described = {
            "RenewalStatus": self.status,
            "DomainValidationOptions": [],
            "UpdatedAt": self.updated_at.timestamp(),
        }
        return described | ({"RenewalStatusReason": self.reason} if self.reason else {})


def _now() -> datetime:
    return datetime.now(timezone.utc)


class PrivateCertificate:
    """Answers to what moto's ACM asks of a certificate (check, describe, cert, chain, key, tags, status)."""

    type = "PRIVATE"

    def __init__(self, arn: str, wish: Wish, issue: Callable[[bool], Issued], delay: timedelta):
        """
        :param issue: Called with True where it renews, which ACM may do only with the CA's permission.
        """
        self.arn = arn
        self.wish = wish
        self.status = "PENDING_VALIDATION"
        self.failure_reason: str | None = None
        self.exported = False
        self.renewal: Renewal | None = None
        self.tags = TagHolder()
        self.in_use_by: list[str] = []
        self.cert_options = {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
        self.cert_authority_arn = wish.authority_arn
        self.common_name = wish.domain
        self.created_at = _now()
        self._issue = issue
        self._delay = delay
        self._issued: Issued | None = None
        self._due: datetime | None = self.created_at + delay
        self._lock = threading.RLock()

    def check(self) -> None:
        """Lets happen what is due. moto calls this before it uses a certificate."""
        with self._lock:
            if self._due is not None and self._due <= _now():
                self._due = None
                if self.renewal is not None:
                    self._finish_renewal(self.renewal)
                else:
                    self._finish_request()
            if self._issued is not None and self._issued.leaf.not_valid_after_utc <= _now():
                self.status = "EXPIRED"

    def _finish_request(self) -> None:
        try:
            self._issued = self._issue(False)
            self.status = "ISSUED"
        except IssuanceRefused as refusal:
            self.status, self.failure_reason = "FAILED", refusal.reason

    def _finish_renewal(self, renewal: Renewal) -> None:
        try:
            self._issued = self._issue(True)
            self.status, renewal.status = "ISSUED", "SUCCESS"
        except IssuanceRefused as refusal:
            renewal.status, renewal.reason = "FAILED", refusal.reason
        renewal.updated_at = _now()

    @property
    def issued(self) -> Issued:
        if self._issued is not None:
            return self._issued
        if self.status == "FAILED":
            raise AWSValidationException(f"Certificate ARN: {self.arn} was not issued: {self.failure_reason}")
        raise RequestInProgressException(f"Certificate ARN: {self.arn} is not issued yet")

    @property
    def is_renewable(self) -> bool:
        """RenewCertificate takes a private certificate that was exported, and no other."""
        return self._issued is not None and self.exported

    def renew(self) -> None:
        """Begins a renewal; one that is under way already goes on."""
        with self._lock:
            if self._due is not None:
                return
            self.renewal = Renewal("PENDING_AUTO_RENEWAL", _now())
            self._due = self.renewal.updated_at + self._delay
        self.check()

    def export(self, passphrase: bytes) -> tuple[str, str, str]:
        """Leaf, chain and key (PKCS #8, encrypted), as PEM."""
        issued = self.issued
        key = issued.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
        self.exported = True
        return pem_of(issued.leaf).decode(), issued.chain.decode(), key.decode()

    @property
    def cert(self) -> bytes:
        return pem_of(self.issued.leaf)

    @property
    def chain(self) -> bytes:
        return self.issued.chain

    def describe(self) -> dict[str, Any]:
        with self._lock:
            described: dict[str, Any] = {
                "CertificateArn": self.arn,
                "CertificateAuthorityArn": self.wish.authority_arn,
                "DomainName": self.wish.domain,
                "SubjectAlternativeNames": self.wish.names,
                "Subject": f"CN={self.wish.domain}",
                "KeyAlgorithm": self.wish.key_algorithm,
                "Status": self.status,
                "Type": self.type,
                "InUseBy": list(self.in_use_by),
                "CreatedAt": self.created_at.timestamp(),
                "RenewalEligibility": "ELIGIBLE" if self.is_renewable else "INELIGIBLE",
                "Options": self.cert_options,
                "ExtendedKeyUsages": [],
            }
            if self.failure_reason is not None:
                described["FailureReason"] = self.failure_reason
            if self.renewal is not None:
                described["RenewalSummary"] = self.renewal.describe()
            return {"Certificate": described | (_describe_issued(self._issued) if self._issued else {})}


def _describe_issued(issued: Issued) -> dict[str, Any]:
    leaf = issued.leaf
    common_names = leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    hash_name = leaf.signature_hash_algorithm.name.upper() if leaf.signature_hash_algorithm else ""
    is_ecdsa = "ecdsa" in leaf.signature_algorithm_oid._name
    return {
        "Serial": serial_text(leaf.serial_number),
        "Issuer": common_names[0].value if common_names else leaf.issuer.rfc4514_string(),
        "IssuedAt": issued.at.timestamp(),
        "NotBefore": leaf.not_valid_before_utc.timestamp(),
        "NotAfter": leaf.not_valid_after_utc.timestamp(),
        "SignatureAlgorithm": f"{hash_name}WITH{'ECDSA' if is_ecdsa else 'RSA'}",
        "ExtendedKeyUsages": EXTENDED_KEY_USAGES,
    }
