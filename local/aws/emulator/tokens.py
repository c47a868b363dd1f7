"""JSON Web Tokens as Cognito signs them: a key of its own for each user pool, and a successor for it (pure)."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from joserfc import jwk, jwt

KEY_BITS = 2048
ALGORITHM = "RS256"


class SigningKeys:
    """The keys of one user pool, newest last. The newest signs, all of them are published."""

    def __init__(self) -> None:
        self._keys = [_new_key()]

    def add_successor(self) -> None:
        """From now on a new key signs; what the old one signed still verifies."""
        self._keys.append(_new_key())

    def withdraw_predecessors(self) -> None:
        """Only the newest key is published: what the older ones signed verifies no more."""
        self._keys = self._keys[-1:]

    def published(self) -> dict[str, Any]:
        """A JWK set (RFC 7517) of the public halves."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        key = self._keys[-1]
        return jwt.encode({"kid": key.kid, "alg": ALGORITHM}, dict(claims), key)


def _new_key() -> jwk.RSAKey:
    parameters: Any = {"kid": str(uuid.uuid4()), "alg": ALGORITHM, "use": "sig"}
    return jwk.RSAKey.generate_key(KEY_BITS, parameters)


def client_claims(issuer: str, client_id: str, scopes: list[str], life_seconds: int) -> dict[str, Any]:
    """The claims of an access token for a client itself: no person's, so that `sub` is the client too.

    Cognito developer guide, "Understanding the access token": there is `client_id` and no `aud`.
    """
    now = int(time.time())
    return {
        "sub": client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": issuer,
        "exp": now + life_seconds,
        "iat": now,
        "version": 2,
        "jti": str(uuid.uuid4()),
        "client_id": client_id,
    }
