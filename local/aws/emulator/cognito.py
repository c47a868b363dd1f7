"""Cognito user pools: signing keys of each pool's own, its published keys, and tokens for clients themselves.

moto signs for every pool with one key that it ships, so that anybody could sign; and it has no token endpoint.
Cognito publishes keys under `https://cognito-idp.<region>.amazonaws.com/<pool>/.well-known/jwks.json` and gives
tokens at `https://<domain>.auth.<region>.amazoncognito.com/oauth2/token`. Both carry no AWS signature by which
moto would know the service, so server.py hands them over by their path.
"""

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from moto.cognitoidp import models
from moto.cognitoidp.models import CognitoIdpUserPool, CognitoIdpUserPoolClient, cognitoidp_backends

from .tokens import SigningKeys, client_claims

TOKEN_PATH = "/oauth2/token"
KEYS_PATH = re.compile(r"^/(?P<pool>[a-z0-9-]+_[A-Za-z0-9]+)/\.well-known/jwks\.json$")
# Not of AWS: Cognito rotates keys when it wants to.
ROTATE_PATH = re.compile(r"^/tokenmesh/cognito/(?P<pool>[a-z0-9-]+_[A-Za-z0-9]+)/(?P<what>add-key|withdraw-keys)$")

DEFAULT_LIFE_SECONDS = 3600
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
BODY_LIMIT_BYTES = 16_384

Answer = tuple[str, dict[str, Any]]


class EmulatedUserPool(CognitoIdpUserPool):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.signing_keys = SigningKeys()

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.id}"

    def create_jwt(
        self,
        client_id: str,
        username: str,
        token_use: str,
        expires_in: int = DEFAULT_LIFE_SECONDS,
        extra_data: dict[str, Any] | None = None,
    ) -> tuple[str, int]:
        """A person's token: the claims are moto's, the signature is of this pool's key."""
        signed, _ = super().create_jwt(client_id, username, token_use, expires_in, extra_data)
        claims = json.loads(_from_base64url(signed.split(".")[1]))
        return self.signing_keys.sign(claims), expires_in


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def install() -> None:
    models.CognitoIdpUserPool = EmulatedUserPool  # type: ignore[misc]


def answer(path: str, method: str, environ: dict[str, Any]) -> Answer | None:
    """What Cognito answers to a request without an AWS signature; None where the path is not one of its own."""
    if path == TOKEN_PATH:
        return _token(environ) if method == "POST" else _refused("invalid_request")
    if found := KEYS_PATH.match(path):
        pool = _pool(found["pool"])
        return _unknown_pool() if pool is None else ("200 OK", pool.signing_keys.published())
    if found := ROTATE_PATH.match(path):
        return _rotate(found["pool"], found["what"])
    return None


def _rotate(pool_id: str, what: str) -> Answer:
    pool = _pool(pool_id)
    if pool is None:
        return _unknown_pool()
    if what == "add-key":
        pool.signing_keys.add_successor()
    else:
        pool.signing_keys.withdraw_predecessors()
    return "200 OK", pool.signing_keys.published()


def _pools() -> list[EmulatedUserPool]:
    return [
        pool
        for account in cognitoidp_backends.values()
        for backend in account.values()
        for pool in backend.user_pools.values()
    ]


def _pool(pool_id: str) -> EmulatedUserPool | None:
    return next((pool for pool in _pools() if pool.id == pool_id), None)


def _unknown_pool() -> Answer:
    return "404 Not Found", {"message": "User pool does not exist."}


def _refused(error: str) -> Answer:
    """RFC 6749 section 5.2, with Cognito's statuses: 400 for all of them ("The token issuer endpoint")."""
    return "400 Bad Request", {"error": error}


def _token(environ: dict[str, Any]) -> Answer:
    """The client credentials grant (RFC 6749 section 4.4)."""
    form = _form(environ)
    client_id, secret = _credentials(environ, form)
    pool = next((pool for pool in _pools() if client_id in pool.clients), None)
    client = None if pool is None else pool.clients[client_id]
    if pool is None or client is None or not client.generate_secret or client.secret != secret:
        return _refused("invalid_client")
    granted = client.extended_config
    if form.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type")
    if "client_credentials" not in (granted.get("AllowedOAuthFlows") or []):
        return _refused("unauthorized_client")
    allowed = granted.get("AllowedOAuthScopes") or []
    wanted = form.get("scope", "").split() or allowed
    if not wanted or any(scope not in allowed for scope in wanted):
        return _refused("invalid_scope")
    life_seconds = _life_seconds(client)
    claims = client_claims(pool.issuer, client_id, wanted, life_seconds)
    token = pool.signing_keys.sign(claims)
    return "200 OK", {"access_token": token, "expires_in": life_seconds, "token_type": "Bearer"}


def _life_seconds(client: CognitoIdpUserPoolClient) -> int:
    validity = client.extended_config.get("AccessTokenValidity")
    if validity is None:
        return DEFAULT_LIFE_SECONDS
    units = client.extended_config.get("TokenValidityUnits") or {}
    return int(validity) * UNIT_SECONDS[units.get("AccessToken", "hours")]


def _form(environ: dict[str, Any]) -> dict[str, str]:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), BODY_LIMIT_BYTES)
    body = environ["wsgi.input"].read(length).decode("ascii", errors="replace")
    return {name: values[0] for name, values in parse_qs(body).items()}


def _credentials(environ: dict[str, Any], form: dict[str, str]) -> tuple[str, str]:
    """RFC 6749 section 2.3.1: by the header, or in the form."""
    scheme, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
