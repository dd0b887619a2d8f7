"""In what a realm keeps to RFC 9700 and FAPI 2.0 rather than to Keycloak: its attribute ``keyturn.strict``, and one for
each part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.representations import RealmRepresentation, given

STRICT: Final = "keyturn.strict"
"""Attribute of a realm: ``true`` where it is strict in all that its other attributes do not say otherwise of."""

ONE_ERROR: Final = "keyturn.client-authentication.one-error"
ONE_METHOD: Final = "keyturn.client-authentication.one-method"
ISSUER_ONLY: Final = "keyturn.client-assertion.issuer-audience"
RESOURCES: Final = "keyturn.resource-indicators"
RFC_9068: Final = "keyturn.access-token.rfc9068"
SMALL_TOKENS: Final = "keyturn.access-token.small"
MAX_AGE: Final = "keyturn.jwks.max-age"

STRICT_MAX_AGE: Final = 300
"""Seconds for which the documents of a strict realm may be cached, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Strictness:
    """In what a realm departs from Keycloak."""

    one_error: bool = False
    """Whoever does not prove who it is gets the same answer, with a challenge (RFC 6749 §5.2)."""
    one_method: bool = False
    """Credentials of two kinds, or of two clients, in one request are refused (RFC 6749 §2.3, §5.2)."""
    issuer_only: bool = False
    """Assertions are for the issuer alone (draft-ietf-oauth-rfc7523bis §4)."""
    resources: bool = False
    """``resource`` narrows a token to what it names, or is refused (RFC 8707)."""
    rfc_9068: bool = False
    """Access tokens say that they are such, for whom, and to whom they were issued (RFC 9068)."""
    small_tokens: bool = False
    """Access tokens leave out the roles that are for people alone."""
    max_age: int | None = None
    """Seconds for which keys and metadata may be cached; None for Keycloak's headers."""


COMPATIBLE: Final = Strictness()
"""Keycloak's behaviour in everything."""


def is_strict(realm: RealmRepresentation) -> bool:
    """Whether the realm's attribute says ``true``: it then refuses client policies that it would only keep."""
    return given(realm.attributes, {}).get(STRICT) == "true"


def strictness_of(attributes: Mapping[str, str]) -> Strictness:
    """What the attributes of a realm say. Those that cannot be read count as absent: whoever writes them is told."""
    strict = attributes.get(STRICT) == "true"

    def flag(name: str) -> bool:
        value = attributes.get(name)
        return value == "true" if value in ("true", "false") else strict

    seconds = attributes.get(MAX_AGE) or ""
    max_age = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < _LONGEST_NUMBER else None
    return Strictness(
        one_error=flag(ONE_ERROR),
        one_method=flag(ONE_METHOD),
        issuer_only=flag(ISSUER_ONLY),
        resources=flag(RESOURCES),
        rfc_9068=flag(RFC_9068),
        small_tokens=flag(SMALL_TOKENS),
        max_age=STRICT_MAX_AGE if max_age is None and strict else max_age,
    )


_LONGEST_NUMBER: Final = 10
