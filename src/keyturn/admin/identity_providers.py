"""What an identity provider has to be: here, an issuer whose tokens authenticate clients.

Source: Keycloak ``IdentityProvidersResource``, ``IdentityProviderResource``, ``IssuerValidation``.
"""

from collections.abc import Iterable, Mapping, Sequence

from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, ErrorMessage, InvalidRequest, NotFound
from keyturn.admin.identity_provider_checks import check, check_kind, with_usual_settings
from keyturn.admin.like import like, literal
from keyturn.admin.reserved_characters import check_characters
from keyturn.model.shared_issuers import GITHUB_ISSUER
from keyturn.representations import encode, given, replace
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
)
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import FederatedIdentityRepresentation, UserRepresentation
from keyturn.store.collections import REALMS, USERS

__all__ = [
    "brief",
    "changed",
    "find",
    "found",
    "links_of",
    "made",
    "mappers_of",
    "providers_of",
    "remove",
    "shown",
    "store",
    "store_mappers",
]

_MASK = "**********"
_SECRET = "clientSecret"
_OIDC = [
    "USER_AUTHENTICATION",
    "CLIENT_ASSERTION",
    "TRUST_MATERIAL",
    "EXCHANGE_EXTERNAL_TOKEN",
    "JWT_AUTHORIZATION_GRANT",
]
_PRESET = "keyturn.preset"
_PRESETS: Mapping[tuple[str, str], dict[str, str]] = {
    ("oidc", "github"): {
        "issuer": GITHUB_ISSUER,
        "supportsClientAssertions": "true",
        "useJwksUrl": "true",
        "jwksUrl": f"{GITHUB_ISSUER}/.well-known/jwks",
    }
}
"""By kind of provider and name: what stands in ``keyturn.preset`` when one is made is put in its place."""
_TYPES = {
    "spiffe": ["CLIENT_ASSERTION"],
    "kubernetes": ["CLIENT_ASSERTION"],
    "jwt-authorization-grant": ["JWT_AUTHORIZATION_GRANT"],
    "oauth2": ["USER_AUTHENTICATION", "EXCHANGE_EXTERNAL_TOKEN"],
    "oidc": _OIDC,
    "keycloak-oidc": _OIDC,
    "saml": ["USER_AUTHENTICATION"],
}
"""What a provider tells that it can do; those of social networks tell nothing."""
_FOR_PEOPLE = ["USER_AUTHENTICATION"]
_WITH_JWT_GRANT = frozenset({"gitlab", "google", "linkedin-openid-connect"})
_ALL_TYPES = frozenset({*_OIDC, "ANY"})


def providers_of(realm: RealmView) -> Sequence[IdentityProviderRepresentation]:
    """Those of the realm, as they are stored."""
    return given(_stored(realm).identity_providers, [])


def find(realm: RealmView, alias: str) -> IdentityProviderRepresentation:
    """The provider of this ``internalId``, else of this alias. Raises NotFound.

    Source: Keycloak ``IdentityProviderStorageProvider.getByIdOrAlias``.
    """
    known = providers_of(realm)
    found = next((each for name in ("internal_id", "alias") for each in known if getattr(each, name) == alias), None)
    if found is None:
        raise NotFound()
    return found


def found(realm: RealmView, search: str, type_: str | None) -> list[IdentityProviderRepresentation]:
    """Those whose alias begins with `search`, and that can do `type_`, by alias.

    Args:
        search: ``*`` in it stands for anything, and it is the whole alias then; in quotes, it is an alias.

    Raises:
        InvalidRequest: there is no such type.

    Source: Keycloak ``JpaIdentityProviderStorageProvider``.
    """
    if type_ and type_ not in _ALL_TYPES:
        raise InvalidRequest(f"There is no type {type_} of identity providers")
    pattern = literal(search).replace("*", "%")
    matches = like(pattern if "*" in search else f"{pattern}%")
    quoted = len(search) > 1 and search.startswith('"') and search.endswith('"')
    return sorted(
        (
            each
            for each in providers_of(realm)
            if (each.alias == search[1:-1] if quoted else matches(given(each.alias, "")))
            and (type_ in (None, "", "ANY") or type_ in _can(given(each.provider_id, "")))
        ),
        key=lambda each: given(each.alias, ""),
    )


def _can(kind: str) -> list[str]:
    if kind in _TYPES:
        return _TYPES[kind]
    return [*_FOR_PEOPLE, "JWT_AUTHORIZATION_GRANT"] if kind in _WITH_JWT_GRANT else _FOR_PEOPLE


def store(realm: RealmAdmin, providers: Iterable[IdentityProviderRepresentation]) -> None:
    """Puts `providers` in the place of all of the realm."""
    realm.tx.update(REALMS, realm.id, replace(_stored(realm), identity_providers=list(providers)))


def mappers_of(realm: RealmView) -> Sequence[IdentityProviderMapperRepresentation]:
    """Those of all providers of the realm."""
    return given(_stored(realm).identity_provider_mappers, [])


def store_mappers(realm: RealmAdmin, mappers: Iterable[IdentityProviderMapperRepresentation]) -> None:
    """Puts `mappers` in the place of all of the realm."""
    realm.tx.update(REALMS, realm.id, replace(_stored(realm), identity_provider_mappers=list(mappers)))


def remove(realm: RealmAdmin, alias: str) -> None:
    """Takes a provider away, with its mappers and the links of users to it; `alias` as in `find`. Raises NotFound."""
    alias = given(find(realm, alias).alias, "")
    store(realm, [each for each in providers_of(realm) if each.alias != alias])
    if any(each.identity_provider_alias == alias for each in mappers_of(realm)):
        store_mappers(realm, [each for each in mappers_of(realm) if each.identity_provider_alias != alias])
    named = {"document": f"%{literal(encode(alias).decode())}%"}
    for user in realm.reader.select(USERS, realm.id, any_like=[named]):
        links = given(user.federated_identities, [])
        others = [link for link in links if link.identity_provider != alias]
        if len(others) < len(links):
            realm.update(USERS, replace(user, federated_identities=others))


def links_of(realm: RealmView, user: UserRepresentation) -> list[FederatedIdentityRepresentation]:
    """The links of a user to providers that the realm has."""
    links = given(user.federated_identities, [])
    known = {given(provider.alias, "") for provider in providers_of(realm)} if links else set()
    return [link for link in links if link.identity_provider in known]


def made(realm: RealmAdmin, sent: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """A new provider from what was `sent`. Raises AdminError."""
    alias = given(sent.alias, "")
    if " " in alias:
        raise BadRequest("Empty Space not allowed.")
    check_characters(alias)
    if not alias:
        raise ErrorMessage(400, "path is null")
    check_kind(sent.provider_id, realm.environment.features)
    kind = given(sent.provider_id, "")
    provider = with_usual_settings(_with_preset(sent), kind)
    provider = replace(provider, internal_id=given(sent.internal_id, "") or realm.new_id())
    check(_stored(realm), provider, kind, providers_of(realm))
    if any(each.alias == alias or each.internal_id == provider.internal_id for each in providers_of(realm)):
        raise ErrorMessage(409, f"Identity Provider {alias} already exists")
    return provider


def changed(
    realm: RealmAdmin, before: IdentityProviderRepresentation, sent: IdentityProviderRepresentation
) -> IdentityProviderRepresentation:
    """What `before` becomes by `sent`: all but its ids, its kind, and a secret that is masked. Raises AdminError.

    As in Keycloak, its settings have to be those of the kind that is sent.
    """
    if given(sent.alias, before.alias) != before.alias:
        raise ErrorMessage(400, "Identity Provider alias cannot be changed")
    check_kind(sent.provider_id, realm.environment.features)
    after = with_usual_settings(sent, given(sent.provider_id, ""))
    config = given(after.config, {})
    if config.get(_SECRET) == _MASK:
        after = replace(after, config=config | {_SECRET: given(before.config, {}).get(_SECRET, "")})
    after = replace(after, alias=before.alias, internal_id=before.internal_id, provider_id=before.provider_id)
    check(_stored(realm), after, given(sent.provider_id, ""), providers_of(realm))
    return after


def _with_preset(sent: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """`sent` with the settings that its preset stands for, where it has none of its own. Raises InvalidRequest."""
    config = given(sent.config, {})
    preset = config.get(_PRESET)
    if not preset:
        return sent
    if (sent.provider_id, preset) not in _PRESETS:
        raise InvalidRequest(f"There is no preset {preset} for {given(sent.provider_id, '')}")
    own = {name: value for name, value in config.items() if name != _PRESET}
    return replace(sent, config={**_PRESETS[given(sent.provider_id, ""), preset], **own})


def shown(provider: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """As the wire has it: its secret masked."""
    config = given(provider.config, {})
    if config.get(_SECRET):
        config = config | {_SECRET: _MASK}
    kind = given(provider.provider_id, "")
    hidden = True if kind == "kubernetes" else provider.hide_on_login
    return replace(provider, config=config, hide_on_login=hidden, types=_TYPES.get(kind, []))


def brief(provider: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """What lists tell of it where that is all that is asked for."""
    return IdentityProviderRepresentation(
        alias=provider.alias,
        display_name=provider.display_name,
        internal_id=provider.internal_id,
        provider_id=provider.provider_id,
        enabled=provider.enabled,
        config={},
    )


def _stored(realm: RealmView) -> RealmRepresentation:
    """The realm as it is by now."""
    return realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
