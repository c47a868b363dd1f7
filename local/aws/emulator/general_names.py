"""What a caller of IssueCertificate may put into a certificate by ApiPassthrough.

Pure, and narrow: what is not understood is refused rather than left out, since a certificate that lacks what was
asked for is worse than none.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAMES: dict[str, Callable[[str], x509.GeneralName]] = {
    "DnsName": x509.DNSName,
    "UniformResourceIdentifier": x509.UniformResourceIdentifier,
    "Rfc822Name": x509.RFC822Name,
    "IpAddress": lambda text: x509.IPAddress(ipaddress.ip_address(text)),
}
_SUBJECT_PARTS = {
    "Country": NameOID.COUNTRY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "Locality": NameOID.LOCALITY_NAME,
    "CommonName": NameOID.COMMON_NAME,
    "SerialNumber": NameOID.SERIAL_NUMBER,
}
_USAGES = {
    "SERVER_AUTH": ExtendedKeyUsageOID.SERVER_AUTH,
    "CLIENT_AUTH": ExtendedKeyUsageOID.CLIENT_AUTH,
    "CODE_SIGNING": ExtendedKeyUsageOID.CODE_SIGNING,
    "OCSP_SIGNING": ExtendedKeyUsageOID.OCSP_SIGNING,
}


def subject_of(subject: dict[str, str]) -> x509.Name:
    _refuse_others("Subject", subject, _SUBJECT_PARTS)
    said = [(oid, subject[part]) for part, oid in _SUBJECT_PARTS.items() if part in subject]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in said])


def alternative_names_of(general_names: list[dict[str, str]]) -> x509.SubjectAlternativeName:
    names = []
    for general_name in general_names:
        _refuse_others("SubjectAlternativeNames", general_name, _NAMES)
        names.extend(_NAMES[kind](value) for kind, value in general_name.items())
    return x509.SubjectAlternativeName(names)


def extended_key_usages_of(usages: list[dict[str, str]]) -> list[x509.ObjectIdentifier]:
    found = []
    for usage in usages:
        named = usage.get("ExtendedKeyUsageType")
        if named is not None and named not in _USAGES:
            raise ValueError(f"extended key usage {named} is not supported: expected one of {', '.join(_USAGES)}")
        object_id = usage.get("ExtendedKeyUsageObjectIdentifier")
        found.append(_USAGES[named] if named else x509.ObjectIdentifier(str(object_id)))
    return found


def _refuse_others(what: str, given: dict[str, Any], known: dict[str, Any]) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"{what}: {', '.join(unknown)} is not supported here: expected {', '.join(known)}")


def check_extensions(extensions: dict[str, Any]) -> None:
    _refuse_others("Extensions", extensions, {"SubjectAlternativeNames": None, "ExtendedKeyUsage": None})
