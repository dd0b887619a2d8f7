"""An access token that was validated, as a service asks it questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyturn.jose.jwt import VerifiedClaims

__all__ = ["AccessToken"]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The claims of an access token, signature and claims checked, and what Keycloak's conventions make of them.

    Roles and scopes are those at the time of issue. `client_id` is who the token was issued to (``azp``, or
    ``client_id`` as in RFC 9068), `subject` for whom; of a service account, the two are one.
    """

    claims: VerifiedClaims = field(repr=False)
    subject: str | None
    client_id: str | None
    scopes: frozenset[str]
    realm_roles: frozenset[str]
    dpop_nonce: str | None = None
    """To be answered as ``DPoP-Nonce`` (RFC 9449 §8.2): the nonce of the next proof, where that is another one."""

    @classmethod
    def of(cls, claims: VerifiedClaims) -> "AccessToken":
        """From verified claims. A claim of an unexpected type counts as absent: it grants nothing."""
        scope = claims.get("scope")
        return cls(
            claims=claims,
            subject=_text(claims.get("sub")),
            client_id=_text(claims.get("azp")) or _text(claims.get("client_id")),
            scopes=frozenset(scope.split(" ")) - {""} if isinstance(scope, str) else frozenset(),
            realm_roles=_roles(claims.get("realm_access")),
        )

    def client_roles(self, client_id: str) -> frozenset[str]:
        """The roles of the client `client_id` that the token carries (``resource_access``)."""
        access = self.claims.get("resource_access")
        return _roles(access.get(client_id)) if isinstance(access, Mapping) else frozenset()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _roles(access: Any) -> frozenset[str]:
    roles = access.get("roles") if isinstance(access, Mapping) else None
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()
