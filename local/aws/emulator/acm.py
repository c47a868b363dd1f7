"""ACM: private certificates that a CA of ACM Private CA really signed, beside moto's own kinds.

Closed here: RequestCertificate with a CertificateAuthorityArn, ExportCertificate, RenewCertificate,
DescribeCertificate (Serial, RenewalSummary, FailureReason) and what ListCertificates leaves out.
"""

import base64
from collections.abc import Iterable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import moto.acm.urls as moto_urls
from cryptography import x509
from cryptography.x509.oid import NameOID
from moto.acm.exceptions import AWSValidationException
from moto.acm.models import AWSCertificateManagerBackend, CertBundle, acm_backends
from moto.acm.responses import AWSCertificateManagerResponse
from moto.acm.utils import make_arn_for_certificate
from moto.acmpca.exceptions import ResourceNotFoundException
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult

from . import settings
from .certificates import BACKDATED, END_ENTITY, KEY_ALGORITHMS, Order, generate_key
from .authority import IssuingAuthority
from .private_ca import authority_of
from .private_certificate import Issued, IssuanceRefused, PrivateCertificate, Wish

SERVICE_PRINCIPAL = "acm.amazonaws.com"
DEFAULT_KEY_ALGORITHM = "RSA_2048"

LISTED_BY_DEFAULT = ["RSA_1024", "RSA_2048"]
"""Key types that ListCertificates shows unless Includes.keyTypes names others (API reference, "Filters")."""

COMMON_NAME_LIMIT = 64
PASSPHRASE_REFUSES = b"#$%"
MIN_PASSPHRASE_BYTES = 4


class AcmBackend(AWSCertificateManagerBackend):
    @property
    def _url_module(self) -> Any:
        paths = {path: AcmResponse.dispatch for path in moto_urls.url_paths}
        return SimpleNamespace(url_bases=moto_urls.url_bases, url_paths=paths)

    def request_private_certificate(
        self, wish: Wish, idempotency_token: str | None, tags: list[dict[str, str]] | None
    ) -> str:
        """The same token and wish within the hour give the certificate that is there already."""
        memory = f"{idempotency_token}/{wish}" if idempotency_token else None
        known = self._get_arn_from_idempotency_token(memory) if memory else None
        if known in self._certificates:
            return known
        arn = make_arn_for_certificate(self.account_id, self.region_name)
        certificate = PrivateCertificate(arn, wish, lambda renews: self._issue(wish, renews), settings.ACM_DELAY)
        certificate.tags.add(tags or [])
        self._certificates[arn] = certificate  # type: ignore[assignment]
        if memory:
            self._set_idempotency_token_arn(memory, arn)
        return arn

    def _issue(self, wish: Wish, renews: bool) -> Issued:
        authority = self._usable_authority(wish.authority_arn)
        if renews and not authority.grants(SERVICE_PRINCIPAL, "IssueCertificate", "GetCertificate"):
            raise IssuanceRefused("PCA_ACCESS_DENIED")
        key, now = generate_key(wish.key_algorithm), datetime.now(timezone.utc)
        order = Order(
            subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.domain)]),
            public_key=key.public_key(),
            not_before=now - BACKDATED,
            not_after=now + settings.ACM_VALIDITY,
            names=x509.SubjectAlternativeName([x509.DNSName(name) for name in wish.names]),
        )
        try:
            _, leaf = authority.issue(order, END_ENTITY)
        except JsonRESTError:
            raise IssuanceRefused("PCA_INVALID_DURATION")
        return Issued(leaf, authority.chain_from_here, key, now)

    def _usable_authority(self, arn: str) -> IssuingAuthority:
        """A CA in short-lived mode issues seven days at most, which ACM never asks for."""
        try:
            authority = authority_of(self.account_id, self.region_name, arn)
        except ResourceNotFoundException:
            raise IssuanceRefused("PCA_RESOURCE_NOT_FOUND")
        if authority.status != "ACTIVE":
            raise IssuanceRefused("PCA_INVALID_STATE")
        if authority.usage_mode != "GENERAL_PURPOSE":
            raise IssuanceRefused("PCA_INVALID_ARGS")
        return authority

    def renew_certificate(self, arn: str) -> None:
        certificate: Any = self.get_certificate(arn)
        if isinstance(certificate, PrivateCertificate) and certificate.issued and certificate.is_renewable:
            certificate.renew()
            return
        raise AWSValidationException(
            f"Certificate ARN: {arn} is not eligible for renewal: only an exported private certificate is"
        )

    def export_certificate(self, certificate_arn: str, passphrase: str) -> tuple[str, str, str]:
        certificate: Any = self.get_certificate(certificate_arn)
        if not isinstance(certificate, PrivateCertificate):
            return super().export_certificate(certificate_arn, passphrase)
        secret = base64.b64decode(passphrase)
        if len(secret) < MIN_PASSPHRASE_BYTES or any(byte in PASSPHRASE_REFUSES for byte in secret):
            raise AWSValidationException(
                f"Value at 'passphrase' failed to satisfy constraint: Member must have {MIN_PASSPHRASE_BYTES} bytes "
                "or more, and none of #, $ and %"
            )
        return certificate.export(secret)

    def list_certificates(self, statuses: list[str], includes: dict[str, Any]) -> Iterable[CertBundle]:
        key_types = (includes or {}).get("keyTypes") or LISTED_BY_DEFAULT
        for arn in list(self._certificates):
            certificate = self.get_certificate(arn)
            described = certificate.describe()["Certificate"]
            if described["KeyAlgorithm"] in key_types and (not statuses or described["Status"] in statuses):
                yield certificate


class AcmResponse(AWSCertificateManagerResponse):
    def request_certificate(self) -> ActionResult:
        authority_arn = self._get_param("CertificateAuthorityArn")
        if authority_arn is None:
            return super().request_certificate()
        domain = self._get_param("DomainName")
        names = list(dict.fromkeys([domain, *(self._get_param("SubjectAlternativeNames") or [])]))
        wish = Wish(domain, names, authority_arn, self._get_param("KeyAlgorithm") or DEFAULT_KEY_ALGORITHM)
        _check_wish(wish)
        arn = self.acm_backend.request_private_certificate(
            wish, self._get_param("IdempotencyToken"), self._get_param("Tags")
        )
        return ActionResult({"CertificateArn": arn})

    def renew_certificate(self) -> ActionResult:
        self.acm_backend.renew_certificate(self._get_param("CertificateArn"))
        return EmptyResult()

    def list_certificates(self) -> ActionResult:
        answer: Any = super().list_certificates()
        for summary in answer.result["CertificateSummaryList"]:
            certificate = self.acm_backend._certificates.get(summary["CertificateArn"])
            if isinstance(certificate, PrivateCertificate):
                summary["Exported"] = certificate.exported
                summary["SubjectAlternativeNameSummaries"] = certificate.wish.names
                summary["ExtendedKeyUsages"] = [usage["Name"] for usage in summary["ExtendedKeyUsages"]]
        return answer


def _check_wish(wish: Wish) -> None:
    if wish.key_algorithm not in KEY_ALGORITHMS:
        raise AWSValidationException(
            f"Value '{wish.key_algorithm}' at 'keyAlgorithm' failed to satisfy constraint: "
            f"Member must satisfy enum value set: {list(KEY_ALGORITHMS)}"
        )
    if len(wish.domain) > COMMON_NAME_LIMIT:
        raise AWSValidationException(
            f"The first domain name can be no longer than {COMMON_NAME_LIMIT} characters: it is the common name too"
        )


def install() -> None:
    acm_backends.backend = AcmBackend
