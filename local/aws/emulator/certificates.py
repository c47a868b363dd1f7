"""X.509: the keys, templates and signatures of ACM Private CA.

Pure: keys, names and times come in, a certificate goes out. What does not fit raises ValueError in words that
may be shown to the caller.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

BACKDATED = timedelta(hours=1)
"""How far before the time of issue a validity begins, so that a peer whose clock is behind takes it."""

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "EC_prime256v1": ec.SECP256R1,
    "EC_secp384r1": ec.SECP384R1,
    "EC_secp521r1": ec.SECP521R1,
}
_RSA_BITS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_HASHES = {"SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}

KEY_ALGORITHMS = (*_RSA_BITS, *_CURVES)


def generate_key(algorithm: str) -> PrivateKey:
    if algorithm in _RSA_BITS:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[algorithm])
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    raise ValueError(f"key algorithm {algorithm} is not supported: expected one of {', '.join(KEY_ALGORITHMS)}")


def hash_for(signing_algorithm: str, key: PrivateKey) -> hashes.HashAlgorithm:
    """The hash of a name such as SHA256WITHECDSA, whose second half has to be the kind of the key."""
    name, _, kind = signing_algorithm.partition("WITH")
    expected = "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "RSA"
    if name not in _HASHES or kind != expected:
        raise ValueError(f"signing algorithm {signing_algorithm} does not fit: this CA has a key for {expected}")
    return _HASHES[name]()


@dataclass(frozen=True)
class Template:
    """What a template of ACM Private CA decides about a certificate ("Template definitions" in its user guide)."""

    is_ca: bool
    is_root: bool = False
    path_length: int | None = None
    extended_key_usages: tuple[x509.ObjectIdentifier, ...] = ()
    takes_passthrough: bool = False


_BOTH_SIDES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
END_ENTITY = Template(is_ca=False, extended_key_usages=_BOTH_SIDES)

_TEMPLATES = {
    "RootCACertificate": Template(is_ca=True, is_root=True),
    **{f"SubordinateCACertificate_PathLen{n}": Template(is_ca=True, path_length=n) for n in range(4)},
    "EndEntityCertificate": END_ENTITY,
    "EndEntityClientAuthCertificate": Template(False, extended_key_usages=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
    "EndEntityServerAuthCertificate": Template(False, extended_key_usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
}
_TEMPLATE_ARN = re.compile(r"arn:aws[\w-]*:acm-pca:::template/(\w+?)(_APIPassthrough)?/V1")


def template_of(arn: str | None) -> Template:
    """The template that an ARN names; an end-entity certificate for both sides where none is given."""
    if arn is None:
        return END_ENTITY
    match = _TEMPLATE_ARN.fullmatch(arn)
    if match is None or match[1] not in _TEMPLATES:
        raise ValueError(f"template {arn} is not supported: expected one of {', '.join(_TEMPLATES)}, /V1")
    template = _TEMPLATES[match[1]]
    return Template(**{**vars(template), "takes_passthrough": match[2] is not None})


def moment_of(validity: dict[str, Any], now: datetime) -> datetime:
    """The end (or, for ABSOLUTE and END_DATE, the beginning) that a Validity of the API says."""
    kind, value = validity["Type"], int(validity["Value"])
    if kind == "ABSOLUTE":
        return datetime.fromtimestamp(value, timezone.utc)
    if kind == "END_DATE":
        return _parse_end_date(str(value))
    if kind == "DAYS":
        return now + timedelta(days=value)
    if kind in ("MONTHS", "YEARS"):
        return _add_months(now, value * (12 if kind == "YEARS" else 1))
    raise ValueError(f"validity type {kind} is not known")


def _parse_end_date(text: str) -> datetime:
    form = "%Y%m%d%H%M%S" if len(text) == 14 else "%y%m%d%H%M%S"
    return datetime.strptime(text.zfill(12), form).replace(tzinfo=timezone.utc)


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@dataclass(frozen=True)
class Signer:
    """The side of the CA. It has no certificate while it signs its own root."""

    key: PrivateKey
    hash: hashes.HashAlgorithm
    certificate: x509.Certificate | None
    crl_url: str | None


@dataclass(frozen=True)
class Order:
    """The side of whoever asked for a certificate."""

    subject: x509.Name
    public_key: PublicKey
    not_before: datetime
    not_after: datetime
    names: x509.SubjectAlternativeName | None = None
    extended_key_usages: Sequence[x509.ObjectIdentifier] = ()


def sign(signer: Signer, order: Order, template: Template) -> x509.Certificate:
    issuer = signer.certificate.subject if signer.certificate and not template.is_root else order.subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(order.subject)
        .issuer_name(issuer)
        .public_key(order.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(order.not_before)
        .not_valid_after(order.not_after)
    )
    for extension, critical in _extensions(signer, order, template):
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.key, signer.hash)


def _extensions(signer: Signer, order: Order, template: Template) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(template.is_ca, template.path_length), True),
        (_key_usage(template.is_ca), True),
        (x509.SubjectKeyIdentifier.from_public_key(order.public_key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False),
    ]
    usages = order.extended_key_usages or template.extended_key_usages
    if usages:
        found.append((x509.ExtendedKeyUsage(usages), False))
    if order.names is not None:
        found.append((order.names, False))
    if signer.crl_url is not None and not template.is_root:
        full_name = [x509.UniformResourceIdentifier(signer.crl_url)]
        found.append((x509.CRLDistributionPoints([x509.DistributionPoint(full_name, None, None, None)]), False))
    return found


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def serial_text(serial: int) -> str:
    """As ACM and ACM Private CA write a serial: pairs of hex digits, parted by colons."""
    digits = f"{serial:x}"
    digits = digits.zfill(len(digits) + len(digits) % 2)
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))
