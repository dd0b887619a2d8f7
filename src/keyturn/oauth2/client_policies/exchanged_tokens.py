"""Executors that look at a token which is to be exchanged for another (RFC 8693)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from keyturn.model.client_policy import Occasion, PolicyEvent, PolicyRefused
from keyturn.model.patterns import UndecidedPattern
from keyturn.oauth2.client_policies.authentication import part_of
from keyturn.oauth2.client_policies.configuration import Configuration, configuration
from keyturn.representations import Maybe, given

_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"


def _claims(occasion: Occasion, unreadable: str) -> dict[str, Any] | None:
    """What the subject token says, which nobody has verified yet; None where the event is another."""
    request = occasion.request
    if occasion.event is not PolicyEvent.TOKEN_EXCHANGE_REQUEST or request is None:
        return None
    if request.parameter("subject_token_type") != _ACCESS_TOKEN:
        text = "Parameter 'subject_token' should be access_token for the executor"
        raise PolicyRefused("invalid_request", text)
    claims = part_of(request.parameter("subject_token") or "", 1)
    if claims is None:
        raise PolicyRefused("invalid_request", unreadable)
    return claims


@dataclass(frozen=True, slots=True)
class DownscopeAssertionGrantEnforcer:
    """No scope is granted that the token does not have. Keycloak ``DownscopeAssertionGrantEnforcerExecutor``."""

    id: ClassVar = "downscope-assertion-grant-enforcer"

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor; its configuration must be an object. Raises InvalidConfiguration."""
        configuration(document, Configuration)
        return cls()

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        claims = _claims(occasion, "Assertion contains an invalid access token")
        if claims is None or occasion.client is None:
            return
        has = list(dict.fromkeys(str(claims.get("scope") or "").split()))
        asked = list(dict.fromkeys((occasion.scope or "").split()))
        missing = [name for name in asked if name not in has]
        if missing:
            text = f"Scopes {_java_set(missing)} not present in the initial access token {_java_set(has)}"
            raise PolicyRefused("invalid_scope", text)
        occasion.only_scopes = frozenset(has) | frozenset(occasion.client.silent_scopes())


class _Claim(Configuration):
    claim_name: Maybe[str] = None
    allowed_value: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class JwtClaimEnforcer:
    """The token has a claim, with a value that matches a pattern. Source: Keycloak ``JWTClaimEnforcerExecutor``."""

    id: ClassVar = "jwt-claim-enforcer"
    name: str | None
    allowed: str

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Claim)
        return cls(given(found.claim_name, "") or None, given(found.allowed_value, ""))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        claims = _claims(occasion, "JWT is not valid")
        if claims is None:
            return
        if self.name is None:
            raise PolicyRefused("invalid_request", "Invalid configuration")
        value = claims.get(self.name)
        if value is None:
            raise PolicyRefused("invalid_request", f"Required claim '{self.name}' is missing from the token")
        if not self.allowed.strip():
            return
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise PolicyRefused("invalid_request", f"Value type for claim '{self.name}' not allowed")
        try:
            allowed = occasion.matches(self.allowed, str(value))
        except UndecidedPattern as error:
            raise PolicyRefused("invalid_request", str(error)) from None
        if not allowed:
            raise PolicyRefused("invalid_request", f"Value for claim '{self.name}' not allowed")


def _java_set(texts: Iterable[str]) -> str:
    """How Java writes a ``HashSet`` of `texts`."""
    found = list(texts)
    buckets = 16
    while len(found) > buckets * 3 // 4:
        buckets *= 2
    return f"[{', '.join(sorted(found, key=lambda text: _spread(text) & (buckets - 1)))}]"


def _spread(text: str) -> int:
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[at : at + 2])) & 0xFFFFFFFF
    return code ^ (code >> 16)
