"""X.509: the certificate revocation list of a CA (RFC 5280 section 5), and where ACM Private CA puts it.

Pure. The real one writes a list up to half an hour after a revocation; the emulated one at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from .certificates import PrivateKey

REASONS = {
    "UNSPECIFIED": x509.ReasonFlags.unspecified,
    "KEY_COMPROMISE": x509.ReasonFlags.key_compromise,
    "CERTIFICATE_AUTHORITY_COMPROMISE": x509.ReasonFlags.ca_compromise,
    "AFFILIATION_CHANGED": x509.ReasonFlags.affiliation_changed,
    "SUPERSEDED": x509.ReasonFlags.superseded,
    "CESSATION_OF_OPERATION": x509.ReasonFlags.cessation_of_operation,
    "PRIVILEGE_WITHDRAWN": x509.ReasonFlags.privilege_withdrawn,
    "A_A_COMPROMISE": x509.ReasonFlags.aa_compromise,
}


@dataclass(frozen=True)
class Revocation:
    at: datetime
    reason: str


@dataclass(frozen=True)
class CrlPlace:
    """Where the list of one CA is, as its RevocationConfiguration says."""

    bucket: str
    key: str
    url: str
    lifetime: timedelta
    is_public: bool


def place_of(configuration: dict[str, Any], ca_id: str, region: str) -> CrlPlace | None:
    """None where the CA keeps no list."""
    crl = configuration.get("CrlConfiguration") or {}
    if not crl.get("Enabled"):
        return None
    bucket = crl["S3BucketName"]
    path = f"{crl['CustomPath'].strip('/')}/" if crl.get("CustomPath") else ""
    key = f"{path}crl/{ca_id}.crl"
    host = crl.get("CustomCname") or f"{bucket}.s3.{region}.amazonaws.com"
    return CrlPlace(
        bucket,
        key,
        f"http://{host}/{key}",
        lifetime=timedelta(days=crl.get("ExpirationInDays") or 7),
        is_public=crl.get("S3ObjectAcl", "PUBLIC_READ") == "PUBLIC_READ",
    )


def build_crl(
    issuer: x509.Certificate, key: PrivateKey, revocations: dict[int, Revocation], now: datetime, lifetime: timedelta
) -> bytes:
    """The list in DER. Its number is the time, so that a later one is always the higher."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now)
        .next_update(now + lifetime)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1_000_000)), False)
    )
    for serial, revocation in revocations.items():
        builder = builder.add_revoked_certificate(_entry(serial, revocation))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _entry(serial: int, revocation: Revocation) -> x509.RevokedCertificate:
    """One line of the list. "Unspecified" is said by leaving the reason out (RFC 5280 section 5.3.1)."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revocation.at)
    reason = REASONS[revocation.reason]
    if reason is not x509.ReasonFlags.unspecified:
        builder = builder.add_extension(x509.CRLReason(reason), False)
    return builder.build()
