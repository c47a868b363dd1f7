"""ACM Private CA that really signs.

Closed here: the CA's key algorithm and usage mode, templates, validity (ABSOLUTE too), passthrough of names, the
checks of an imported CA certificate, revocation lists in S3, permissions, idempotency tokens, and on demand a quota
of calls and a delay until it has signed. The rest is moto's.
"""

import base64
import json
import time
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import moto.acmpca.urls as moto_urls
from cryptography import x509
from moto.acmpca.exceptions import InvalidStateException, ResourceNotFoundException
from moto.acmpca.models import ACMPCABackend, acmpca_backends
from moto.acmpca.responses import ACMPCAResponse
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time

from . import certificates, general_names, settings
from .authority import IssuingAuthority
from .certificates import BACKDATED, Order, Template
from .issuance import Quota
from .revocation_lists import REASONS, CrlPlace, place_of


def invalid_args(error: ValueError) -> JsonRESTError:
    return JsonRESTError("InvalidArgsException", str(error))


class PrivateCaBackend(ACMPCABackend):
    @property
    def _url_module(self) -> Any:
        paths = {path: PrivateCaResponse.dispatch for path in moto_urls.url_paths}
        return SimpleNamespace(url_bases=moto_urls.url_bases, url_paths=paths)

    def create_authority(self, usage_mode: str, tags: list[dict[str, str]] | None, **described: Any) -> str:
        try:
            authority = IssuingAuthority(
                usage_mode, region=self.region_name, account_id=self.account_id, **described
            )
        except ValueError as error:
            raise invalid_args(error)
        self._check_bucket(authority.crl_place)
        self.certificate_authorities[authority.arn] = authority
        if tags:
            self.tagger.tag_resource(authority.arn, tags)
        return authority.arn

    def _check_bucket(self, place: CrlPlace | None) -> None:
        if place is None:
            return
        from moto.s3.models import s3_backends

        if place.bucket not in s3_backends[self.account_id]["aws"].buckets:
            raise JsonRESTError("InvalidArgsException", f"S3 bucket {place.bucket} does not exist")

    def import_certificate_authority_certificate(
        self, certificate_authority_arn: str, certificate: bytes, certificate_chain: bytes | None
    ) -> None:
        super().import_certificate_authority_certificate(certificate_authority_arn, certificate, certificate_chain)
        self.describe_certificate_authority(certificate_authority_arn).publish_crl()

    def update_certificate_authority(
        self, certificate_authority_arn: str, revocation_configuration: dict[str, Any], status: str
    ) -> None:
        authority = self.describe_certificate_authority(certificate_authority_arn)
        self._check_bucket(place_of(revocation_configuration or {}, authority.id, self.region_name))
        super().update_certificate_authority(certificate_authority_arn, revocation_configuration, status)
        authority.publish_crl()

    def get_certificate(self, certificate_authority_arn: str, certificate_arn: str) -> tuple[bytes, bytes]:
        """A revoked certificate can still be read: revocation is said by the list, not by its absence."""
        authority = self.describe_certificate_authority(certificate_authority_arn)
        if certificate_arn not in authority.issued_certificates:
            raise ResourceNotFoundException(certificate_arn)
        if not authority.orders.is_signed(certificate_arn, time.monotonic()):
            raise JsonRESTError("RequestInProgressException", "The certificate is not signed yet")
        return authority.get_certificate(certificate_arn)

    def revoke_certificate(
        self, certificate_authority_arn: str, certificate_serial: str, revocation_reason: str
    ) -> None:
        authority = self.describe_certificate_authority(certificate_authority_arn)
        if authority.status != "ACTIVE":
            raise InvalidStateException(certificate_authority_arn)
        if revocation_reason not in REASONS:
            raise JsonRESTError("InvalidRequestException", f"revocation reason {revocation_reason} is not known")
        authority.revoke(int(certificate_serial.replace(":", ""), 16), revocation_reason)
        authority.publish_crl()


QUOTA = Quota(settings.PCA_ISSUES_PER_SECOND)
"""Of the account and region, whichever CA is called."""


class PrivateCaResponse(ACMPCAResponse):
    def _authority(self) -> IssuingAuthority:
        return self.acmpca_backend.describe_certificate_authority(json.loads(self.body)["CertificateAuthorityArn"])

    def create_certificate_authority(self) -> str:
        asked = json.loads(self.body)
        arn = self.acmpca_backend.create_authority(
            asked.get("UsageMode") or "GENERAL_PURPOSE",
            asked.get("Tags"),
            certificate_authority_configuration=asked["CertificateAuthorityConfiguration"],
            certificate_authority_type=asked["CertificateAuthorityType"],
            revocation_configuration=asked.get("RevocationConfiguration"),
            security_standard=asked.get("KeyStorageSecurityStandard"),
        )
        return json.dumps({"CertificateAuthorityArn": arn})

    def issue_certificate(self) -> str:
        if not QUOTA.take(time.monotonic()):
            raise JsonRESTError("ThrottlingException", "Rate exceeded")
        asked, authority = json.loads(self.body), self._authority()
        order_again = json.dumps(asked, sort_keys=True) if asked.get("IdempotencyToken") else None
        known = authority.orders.known(order_again, time.monotonic()) if order_again else None
        if known:
            return json.dumps({"CertificateArn": known})
        csr = _parse_csr(asked["Csr"])
        try:
            template = certificates.template_of(asked.get("TemplateArn"))
            order = _order(asked, csr, template)
            signing_hash = certificates.hash_for(asked["SigningAlgorithm"], authority.key)
        except ValueError as error:
            raise invalid_args(error)
        arn, _ = authority.issue(order, template, signing_hash)
        authority.orders.remember(arn, order_again, time.monotonic())
        return json.dumps({"CertificateArn": arn})

    def import_certificate_authority_certificate(self) -> str:
        asked = json.loads(self.body)
        chain = asked.get("CertificateChain")
        self.acmpca_backend.import_certificate_authority_certificate(
            asked["CertificateAuthorityArn"],
            base64.b64decode(asked["Certificate"]),
            base64.b64decode(chain) if chain else None,
        )
        return "{}"

    def get_certificate_authority_certificate(self) -> str:
        certificate, chain = self.acmpca_backend.get_certificate_authority_certificate(self._authority().arn)
        answer = {"Certificate": certificate.decode().strip()}
        if chain:
            answer["CertificateChain"] = chain.decode().strip()
        return json.dumps(answer)

    def create_permission(self) -> str:
        asked, authority = json.loads(self.body), self._authority()
        if asked["Principal"] in authority.permissions:
            raise JsonRESTError("PermissionAlreadyExistsException", "The principal has a permission already")
        authority.permissions[asked["Principal"]] = {
            "CertificateAuthorityArn": authority.arn,
            "CreatedAt": unix_time(),
            "Principal": asked["Principal"],
            "SourceAccount": asked.get("SourceAccount") or self.current_account,
            "Actions": asked["Actions"],
        }
        return "{}"

    def delete_permission(self) -> str:
        asked, authority = json.loads(self.body), self._authority()
        if authority.permissions.pop(asked["Principal"], None) is None:
            raise ResourceNotFoundException(f"{authority.arn} permission of {asked['Principal']}")
        return "{}"

    def list_permissions(self) -> str:
        return json.dumps({"Permissions": list(self._authority().permissions.values())})


def _parse_csr(text: str) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_pem_x509_csr(base64.b64decode(text))
    except ValueError:
        csr = None
    if csr is None or not csr.is_signature_valid:
        raise JsonRESTError("MalformedCSRException", "The certificate signing request is not PEM, or not valid")
    return csr


def _order(asked: dict[str, Any], csr: x509.CertificateSigningRequest, template: Template) -> Order:
    """Names come from the request for signing; a template with passthrough lets the call say them instead."""
    now = datetime.now(timezone.utc)
    passthrough = asked.get("ApiPassthrough") or {}
    if passthrough and not template.takes_passthrough:
        raise ValueError("ApiPassthrough needs a template whose name ends in _APIPassthrough")
    extensions = passthrough.get("Extensions") or {}
    general_names.check_extensions(extensions)
    names = extensions.get("SubjectAlternativeNames")
    subject = passthrough.get("Subject")
    starts = asked.get("ValidityNotBefore")
    return Order(
        subject=general_names.subject_of(subject) if subject else csr.subject,
        public_key=csr.public_key(),
        not_before=certificates.moment_of(starts, now) if starts else now - BACKDATED,
        not_after=certificates.moment_of(asked["Validity"], now),
        names=general_names.alternative_names_of(names) if names else _names_of(csr),
        extended_key_usages=general_names.extended_key_usages_of(extensions.get("ExtendedKeyUsage") or []),
    )


def _names_of(csr: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    try:
        return csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def install() -> None:
    acmpca_backends.backend = PrivateCaBackend


def authority_of(account_id: str, region: str, arn: str) -> IssuingAuthority:
    """
    :raises ResourceNotFoundException: where this account has no such CA in this region.
    """
    return acmpca_backends[account_id][region].describe_certificate_authority(arn)
