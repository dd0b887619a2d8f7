"""Where a mapper's claim goes and what it looks like: the settings that most mappers share."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from keyturn.oauth2.protocol_mappers.spi import Target

CLAIM_NAME: Final = "claim.name"
JSON_TYPE: Final = "jsonType.label"
MULTIVALUED: Final = "multivalued"

_INCLUSION: Final = {
    Target.ACCESS_TOKEN: "access.token.claim",
    Target.LIGHTWEIGHT_ACCESS_TOKEN: "lightweight.claim",
    Target.ID_TOKEN: "id.token.claim",
    Target.USERINFO: "userinfo.token.claim",
    Target.INTROSPECTION: "introspection.token.claim",
}
_FALLBACK: Final = {Target.USERINFO: "id.token.claim", Target.INTROSPECTION: "access.token.claim"}
"""What decides where a mapper is older than the setting."""

_PROTECTED: Final = frozenset(
    {"iss", "exp", "iat", "jti", "typ", "azp", "sid", "cnf", "scope", "nonce", "at_hash", "session_state"}
)
"""Claims that no setting can name.

``azp``, ``sid`` and ``cnf`` are ours alone: Keycloak lets a mapper set them, and with them the holder of a token pass
for another client, for whoever is logged in, or for the holder of a key.
"""

_TEXTS: Final = frozenset({"sub", "acr"})
_COMPONENT: Final = re.compile(r"((?:\\.|[^\\.])+)\.", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")


def included(config: Mapping[str, str], target: Target) -> bool:
    """Whether the settings put a claim into `target` (Keycloak ``OIDCAttributeMapperHelper``)."""
    value = config.get(_INCLUSION[target])
    if value is None and target in _FALLBACK:
        value = config.get(_FALLBACK[target])
    return value == "true"


def included_unless_off(config: Mapping[str, str], target: Target) -> bool:
    """As `included`, but access tokens and introspection are on where nothing is said."""
    value = config.get(_INCLUSION[target])
    return value == "true" or (value is None and target in (Target.ACCESS_TOKEN, Target.INTROSPECTION))


def split_path(path: str) -> list[str]:
    r"""The names in a claim's path: a dot separates, ``\.`` is a dot, and a dot at a name's beginning belongs to it."""
    names: list[str] = []
    start = 0
    while match := _COMPONENT.match(path, start):
        names.append(_ESCAPED.sub(r"\1", match[1]))
        start = match.end()
    if start < len(path):
        names.append(_ESCAPED.sub(r"\1", path[start:]))
    return names


def escape(name: str) -> str:
    """`name` as one component of a path."""
    return name.replace("\\", "\\\\").replace(".", "\\.")


def convert(value: str, json_type: str | None) -> Any:
    """`value` as the ``jsonType.label`` says; None where it is none of that type."""
    match json_type:
        case "boolean":
            return value.lower() == "true"
        case "int":
            return _integer(value, 31)
        case "long":
            return _integer(value, 63)
        case "JSON":
            try:
                found = json.loads(value, parse_constant=_refuse_constant)
                json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair cannot stand in a token
            except (ValueError, RecursionError):
                return None
            return found
        case _:
            return value


def put_values(members: dict[str, Any], config: Mapping[str, str], values: Sequence[str]) -> None:
    """Puts `values` under the claim's name: all where the mapper is multivalued, else the first. No value, no claim."""
    if not values:
        return
    json_type = config.get(JSON_TYPE)
    if config.get(MULTIVALUED) == "true":
        put(members, config.get(CLAIM_NAME, ""), [convert(value, json_type) for value in values])
    else:
        put(members, config.get(CLAIM_NAME, ""), convert(values[0], json_type))


def put(members: dict[str, Any], path: str, value: Any, *, extend: bool = False) -> None:
    """Puts `value` at `path`, making the objects on the way; None puts nothing, and so does a protected claim.

    `extend` adds a list to a list that is there. Registered claims keep their type.
    Source: Keycloak ``OIDCAttributeMapperHelper.mapClaim``.
    """
    names = split_path(path)
    if value is None or not names or names[0] in _PROTECTED:
        return
    if len(names) > 1 and (names[0] in _TEXTS or names[0] in ("aud", "auth_time")):
        return
    if names[0] in _TEXTS:
        value = value if isinstance(value, str) else json.dumps(value)
    elif names[0] == "aud":
        value = list(map(str, value)) if isinstance(value, list) else [str(value)]
    elif names[0] == "auth_time":
        value = _integer(str(value), 63)
        if value is None:
            return
    for name in names[:-1]:
        inner = members.get(name)
        # A new object, never the one that is there: it may belong to the claims of another token.
        members[name] = dict(inner) if isinstance(inner, dict) else {}
        members = members[name]
    there = members.get(names[-1])
    if extend and isinstance(there, list) and isinstance(value, list):
        value = [*there, *(item for item in value if item not in there)]
    members[names[-1]] = value


def add_audience(members: dict[str, Any], audience: str) -> None:
    """Adds `audience` to ``aud`` unless it is there (RFC 7519 §4.1.3)."""
    there = list(audiences(members))
    if audience not in there:
        members["aud"] = [*there, audience]


def audiences(members: Mapping[str, Any]) -> Iterator[str]:
    """The values of ``aud``, which is a text where there is one."""
    there = members.get("aud", ())
    yield from (there,) if isinstance(there, str) else there


def _integer(value: str, bits: int) -> int | None:
    if _INTEGER.fullmatch(value):
        number = int(value)
        if -(1 << bits) <= number < 1 << bits:
            return number
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
