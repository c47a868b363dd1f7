"""What the environment may change, read once at start."""

import os
from datetime import timedelta


def _non_negative(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    if text == "":
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise SystemExit(
            f"{name} is not usable: expected a number from 0 up, got {text!r}; correct it, or unset it for {default:g}"
        )
    return value


ACM_DELAY = timedelta(milliseconds=_non_negative("TOKENMESH_ACM_RENEWAL_DELAY_MS", 200))
"""How long ACM takes to issue or to renew: the real one answers before it has, so a client has to wait for it."""

ACM_VALIDITY = timedelta(days=_non_negative("TOKENMESH_ACM_VALIDITY_DAYS", 395))
"""How long a private certificate of ACM lives (ACM user guide, "Private certificates": 13 months, 395 days)."""

PCA_ISSUE_DELAY = timedelta(milliseconds=_non_negative("TOKENMESH_PCA_ISSUE_DELAY_MS", 0))
"""How long IssueCertificate takes to sign: until then GetCertificate answers RequestInProgressException."""

PCA_ISSUES_PER_SECOND = _non_negative("TOKENMESH_PCA_ISSUES_PER_SECOND", 0)
"""How many calls of IssueCertificate are taken in a second, 25 on AWS; 0 for as many as come."""
