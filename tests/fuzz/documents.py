"""Documents drawn from their Structs: of the right types, of wrong ones, at the bounds of both.

Everything follows from a ``Random``, so that a seed says which documents they were. (Hypothesis, which draws the forms,
spends more time on such large documents than the server does, and repeats itself.)
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from msgspec import UnsetType

from keyturn.representations import Representation, RoleRepresentation

__all__ = ["ODD", "Draw", "Reference", "anything", "document", "text", "value_of"]

Draw: TypeAlias = Callable[[Random], Any]


@dataclass(frozen=True)
class Reference:
    """Stands in a request for something that is in the store when it is sent: its id, or what `key` says."""

    kind: str
    index: int
    key: str = "id"


ODD: Final = (
    "",
    " ",
    "a",
    "Ä€😀",
    "\x00",
    "a\x00b",
    "\r\nx-header: y",
    "\ud800",
    "x" * 36,
    "x" * 37,
    "x" * 255,
    "x" * 256,
    "x" * 4001,
    "true",
    "-1",
    "0",
    "2147483647",
    "2147483648",
    "99999999999999999999",
    "1.5",
    "1e999",
    "٣",
    "../..",
    "a/b",
    "%2F",
    "{}",
    "[]",
    "**********",
    "(a+)+$",
    "[",
    "${x}",
    "'; DROP TABLE client; --",
    "İ",
    "\u2028",
    "null",
    "https://[::1",
    "http://a:b:c",
    "//[",
)
_NUMBERS: Final = (0, 1, -1, 60, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30, 1.5, -0.0, 1e300)
_LETTERS: Final = "ab .-_:/%&=+#\\\"'<>[]{}()*|\t\n\x00\x7fäß€😀\ud800\u202e"


def text(random: Random) -> str:
    """A text that somebody may not expect."""
    if random.random() < 0.7:
        return random.choice(ODD)
    return "".join(random.choice(_LETTERS) for _ in range(random.randrange(10)))


def anything(random: Random, depth: int = 3) -> Any:
    """Any JSON."""
    match random.randrange(6 if depth else 4):
        case 0:
            return random.choice((None, True, False))
        case 1:
            return random.choice(_NUMBERS)
        case 2 | 3:
            return text(random)
        case 4:
            return [anything(random, depth - 1) for _ in range(random.randrange(3))]
        case _:
            return {text(random): anything(random, depth - 1) for _ in range(random.randrange(3))}


def mostly(usual: Draw, odd: Draw = text, *, one_in: int = 10) -> Draw:
    """What is usual, but for one time in so many."""
    return lambda random: (odd if random.randrange(one_in) == 0 else usual)(random)


def _one_of(*choices: Any) -> Draw:
    return lambda random: random.choice(choices)


def _any_of(*draws: Draw) -> Draw:
    return lambda random: random.choice(draws)(random)


def _some(draw: Draw, most: int = 2) -> Draw:
    return lambda random: [draw(random) for _ in range(random.randrange(most + 1))]


def reference(kind: str, key: str = "id") -> Draw:
    """Something of this kind that is there."""
    return lambda random: Reference(kind, random.randrange(40), key)


_KINDS: Final = ("client", "client_scope", "role", "user", "group", "component")
_NAMES: Final = _one_of("one", "two", "three", "Ünï", "a b", "account", "profile", "roles", "offline_access", "admin")
_ANY_ID: Final = _any_of(*map(reference, _KINDS))
_ROLE_NAME: Final = _any_of(reference("role", "name"), _NAMES)
_SCOPE_NAMES: Final = _some(reference("client_scope", "name"), 3)
_MAPPERS: Final = (
    "oidc-usermodel-attribute-mapper",
    "oidc-audience-mapper",
    "oidc-hardcoded-claim-mapper",
    "oidc-hardcoded-role-mapper",
    "oidc-role-name-mapper",
    "oidc-usermodel-realm-role-mapper",
    "oidc-sha256-pairwise-sub-mapper",
    "oidc-full-name-mapper",
    "oidc-usersessionmodel-note-mapper",
    "saml-role-list-mapper",
)

_MEANT: Final[dict[str, Draw]] = {
    "id": _ANY_ID,
    "clientId": _any_of(_NAMES, reference("client", "client_id")),
    "name": _any_of(_NAMES, *(reference(kind, "name") for kind in ("role", "client_scope", "group"))),
    "username": _any_of(_NAMES, reference("user", "username")),
    "email": _one_of("a@example.com", "A@Example.com", "a@", "@"),
    "realm": _one_of("three", "four", "demo", "a b", "ü"),
    "containerId": _ANY_ID,
    "parentId": _ANY_ID,
    "protocol": _one_of("openid-connect", "openid-connect", "saml", "docker-v2"),
    "protocolMapper": _one_of(*_MAPPERS),
    "providerId": _one_of(
        "hmac-generated", "ecdsa-generated", "eddsa-generated", "rsa", "max-clients", "rsa-generated"
    ),
    "providerType": _one_of(
        "org.keycloak.keys.KeyProvider",
        "org.keycloak.keys.KeyProvider",
        "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy",
        "org.keycloak.userprofile.UserProfileProvider",
    ),
    "clientAuthenticatorType": _one_of("client-secret", "client-jwt", "client-x509", "client-secret-jwt"),
    "sslRequired": _one_of("none", "external", "all", "NONE"),
    "defaultSignatureAlgorithm": _one_of("RS256", "ES256", "EdDSA", "HS256", "PS512", "none"),
    "passwordPolicy": _one_of(
        "length(8)",
        "length(x)",
        "length(99999999999)",
        "regexPattern((a+)+$)",
        "regexPattern([)",
        "digits(2) and notUsername",
        "(",
    ),
    "type": _one_of("password", "otp"),
    "value": _one_of("password", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", ""),
    "realmRoles": _some(_ROLE_NAME),
    "defaultRoles": _some(_ROLE_NAME),
    "groups": _some(_one_of("/one", "/one/two", "one", "/none")),
    "defaultGroups": _some(_one_of("/one", "/none")),
    "defaultClientScopes": _SCOPE_NAMES,
    "optionalClientScopes": _SCOPE_NAMES,
    "defaultDefaultClientScopes": _SCOPE_NAMES,
    "serviceAccountClientId": reference("client", "client_id"),
}
"""What a field is for, where its type does not say it. Seldom it is something else all the same."""

_KEYS: Final = (
    "access.token.lifespan",
    "client.secret.creation.time",
    "client.session.idle.timeout",
    "access.token.signed.response.alg",
    "id.token.signed.response.alg",
    "client_credentials.use_refresh_token",
    "use.refresh.tokens",
    "use.jwks.url",
    "jwks.url",
    "jwt.credential.certificate",
    "priority",
    "keySize",
    "algorithm",
    "privateKey",
    "secretSize",
    "active",
    "enabled",
    "max-clients",
    "claim.name",
    "claim.value",
    "jsonType.label",
    "included.client.audience",
    "access.token.claim",
    "id.token.claim",
    "role",
    "new.role.name",
    "user.attribute",
    "user.session.note",
    "multivalued",
    "include.in.token.scope",
    "realm_client",
    "clientSessionIdleTimeout",
    "clientSessionMaxLifespan",
    "clientOfflineSessionMaxLifespan",
    "cibaExpiresIn",
    "cibaInterval",
    "parRequestUriLifespan",
    "actionTokenGeneratedByUserLifespan.verify-email",
    "frontendUrl",
    "acr.loa.map",
    "adminEventsExpiration",
    "bruteForceProtected",
    "kc.user.profile.config",
    "pattern",
    "min",
    "options",
    "openid-connect",
    "demo",
    "one",
)
"""Keys of mappings that something is made of."""

_SPOILT: Final = 12
"""One document in so many has a field that is wrong, in one of three ways."""


@cache
def value_of(hint: Any) -> Draw:
    """Values of the type `hint`, as JSON has them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return value_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _any_of(*(value_of(each) for each in arguments if each not in (UnsetType, type(None))))
    if origin is list:
        return _some(value_of(arguments[0]), 3)
    if origin is dict:
        return _mapping(value_of(arguments[1]))
    if hint is RoleRepresentation:
        return mostly(reference("role", "document"), document(hint), one_in=3)
    if isinstance(hint, type) and issubclass(hint, Representation):
        # Not drawn yet, since it may contain itself; and small, so that this has an end.
        return lambda random: document(hint, most=2)(random)  # noqa: PLW0108
    known: dict[Any, Draw] = {
        bool: _one_of(True, False),
        int: _one_of(0, 1, -1, 300, 2**31 - 1, -(2**31)),
        float: _one_of(0.0, -1.5, 1e300),
        str: text,
    }
    return known.get(hint, anything)


def _mapping(value: Draw) -> Draw:
    key = mostly(_one_of(*_KEYS), one_in=5)
    return lambda random: {key(random): value(random) for _ in range(random.randrange(4))}


@cache
def document(kind: type[Representation], most: int = 6) -> Draw:
    """Documents of this Struct, as JSON objects with `Reference` in them: those it needs, `most` others."""
    hints = get_type_hints(kind, include_extras=True)
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    fields = {wire: mostly(_MEANT[wire]) if wire in _MEANT else value_of(hints[name]) for wire, name in names}
    needed = [wire for wire in _NEEDED.get(kind.__name__, ()) if wire in fields]

    def draw(random: Random) -> dict[str, Any]:
        chosen = random.sample(sorted(fields), random.randrange(min(most, len(fields)) + 1))
        if random.random() < 0.9:
            chosen += [wire for wire in needed if wire not in chosen]
        made = {wire: fields[wire](random) for wire in chosen}
        match random.randrange(3 * _SPOILT):
            case 0 if made:
                made[random.choice(list(made))] = anything(random)
            case 1:
                made[text(random)] = anything(random)
            case 2 if made:
                made[random.choice(list(made))] = None
            case _:
                pass
        return made

    return draw


_NEEDED: Final = {
    "ClientRepresentation": ("clientId",),
    "ClientScopeRepresentation": ("name", "protocol"),
    "RoleRepresentation": ("id", "name"),
    "GroupRepresentation": ("name",),
    "UserRepresentation": ("username",),
    "RealmRepresentation": ("realm",),
    "ComponentRepresentation": ("name", "providerId", "providerType"),
    "ProtocolMapperRepresentation": ("name", "protocol", "protocolMapper"),
    "CredentialRepresentation": ("type", "value"),
}
"""Fields without which a document is refused at once."""
