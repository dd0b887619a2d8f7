"""From documents to the model: what a realm's clients share, and each client for itself."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from sys import intern
from typing import Final, TypeAlias

from keyturn.model.client import Client, SecretDigest, SharedSecret
from keyturn.model.client_credential import (
    CREDENTIALS,
    OWN,
    ROTATED,
    SECRET,
    SECRETS,
    more_credentials,
    named_credentials,
    secrets_count,
)
from keyturn.model.client_keys import NO_KEYS, KeySource, key_source
from keyturn.model.client_policy import ClientPolicy
from keyturn.model.client_scope import ClientScope, ProtocolMapper
from keyturn.model.client_secret import (
    ROTATED_EXPIRES,
    ROTATED_SECRET,
    SECRET_CREATED,
    has_rotated_secret,
    seconds,
    secret_expires,
)
from keyturn.model.key_providers import PROVIDER_TYPE, key_ring
from keyturn.model.key_rotation import next_change, rotation_of
from keyturn.model.pairwise import subjects_of
from keyturn.model.realm import Realm, Throttle
from keyturn.model.realm_attributes import THROTTLE_AFTER, THROTTLE_LONGEST
from keyturn.model.roles import Role, RoleGraph
from keyturn.model.strictness import strictness_of
from keyturn.model.subject import Subject
from keyturn.model.trusted_issuer import SPIFFE, trust_domains, trusted_issuers
from keyturn.oauth2.policy_documents import global_profiles, policies_of, profiles_of
from keyturn.representations import (
    ClientRepresentation,
    GroupRepresentation,
    Maybe,
    ProtocolMapperRepresentation,
    RealmRepresentation,
    UserRepresentation,
    given,
)
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.representations.defaults import listing
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS, GROUPS, ROLES, USERS
from keyturn.store.spi import Reader, Relation

_SERVICE_ACCOUNT_CLIENT: Final = "service_account_client"

_HELD: Final = (CREDENTIALS, SECRETS)
"""Attributes that are compiled to something else, and hold secrets."""
_Named: TypeAlias = Sequence[ClientCredentialRepresentation]
_NOTHING: Final[frozenset[str]] = frozenset()
_NO_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {}

# Attributes are texts that anything may stand in, and int() raises for some that look like numbers.
_LONGEST_WAIT: Final = 60
_SECONDS: Final = re.compile(r"[0-9]{1,18}")
_ORDER: Final = re.compile(r"-?[0-9]{1,18}")


def compile_realm(reader: Reader, document: RealmRepresentation, features: frozenset[str] = frozenset()) -> Realm:
    """The realm of `document`, with its roles, client scopes and keys, where these previews of Keycloak's are on."""
    realm_id = given(document.id, "")
    roles = _roles(reader, realm_id)
    offline_max = given(document.offline_session_max_lifespan, 0)
    attributes = given(document.attributes, {})
    components = reader.select(COMPONENTS, realm_id, where={"provider_type": PROVIDER_TYPE})
    return Realm(
        id=realm_id,
        name=given(document.realm, ""),
        enabled=given(document.enabled, False),
        ssl_required=given(document.ssl_required, "external").lower(),
        not_before=given(document.not_before, 0),
        access_token_lifespan=given(document.access_token_lifespan, 300),
        sso_session_idle_timeout=given(document.sso_session_idle_timeout, 1800),
        sso_session_max_lifespan=given(document.sso_session_max_lifespan, 36000),
        client_session_idle_timeout=given(document.client_session_idle_timeout, 0),
        client_session_max_lifespan=given(document.client_session_max_lifespan, 0),
        offline_session_idle_timeout=given(document.offline_session_idle_timeout, 2592000),
        offline_session_max_lifespan=offline_max
        if given(document.offline_session_max_lifespan_enabled, False)
        else None,
        default_signature_algorithm=given(document.default_signature_algorithm, "") or "RS256",
        revoke_refresh_token=given(document.revoke_refresh_token, False),
        refresh_token_max_reuse=given(document.refresh_token_max_reuse, 0),
        roles=roles,
        scopes=_client_scopes(reader, realm_id, roles),
        throttle=_throttle(attributes),
        strictness=strictness_of(attributes),
        client_policies=_client_policies(document),
        kept_events=_kept_events(document),
        client_ids=_owners_of_roles(reader, realm_id, roles),
        keys=key_ring(components),
        keys_change=next_change(components, rotation_of(attributes)),
        document=document,
        issuers=trusted_issuers(given(document.identity_providers, [])),
        trust_domains=trust_domains(given(document.identity_providers, [])) if SPIFFE in features else {},
    )


def compile_client(reader: Reader, realm: Realm, document: ClientRepresentation, *, rotation: bool = False) -> Client:
    """The client of `document`, with its scopes and its service account.

    Args:
        rotation: whether a secret from before counts until it expires.
    """
    client_uuid, client_id = given(document.id, ""), given(document.client_id, "")
    attributes = _acted_on(realm, given(document.attributes, {}))
    named = named_credentials(given(document.attributes, {}))
    authenticator = intern(given(document.client_authenticator_type, ""))
    service_account = None
    service_accounts_enabled = given(document.service_accounts_enabled, False)
    if service_accounts_enabled:
        user = reader.find(USERS, realm.id, **{_SERVICE_ACCOUNT_CLIENT: client_uuid})
        service_account = compile_subject(reader, realm, user, of=document) if user is not None else None
    default_scopes = _assigned(reader, realm, Relation.CLIENT_DEFAULT_SCOPE, client_uuid)
    optional_scopes = _assigned(reader, realm, Relation.CLIENT_OPTIONAL_SCOPE, client_uuid)
    own_mappings = reader.targets(Relation.CLIENT_ROLE_SCOPE, realm.id, client_uuid)
    return Client(
        id=client_uuid,
        client_id=client_id,
        enabled=given(document.enabled, False),
        protocol=intern(given(document.protocol, "") or "openid-connect"),
        public=given(document.public_client, False),
        bearer_only=given(document.bearer_only, False),
        authenticator=authenticator,
        secrets=_secrets(document, named, rotation=rotation),
        service_account=service_account,
        direct_access_grants=given(document.direct_access_grants_enabled, False),
        consent_required=given(document.consent_required, False),
        full_scope=given(document.full_scope_allowed, False),
        not_before=given(document.not_before, 0),
        own_scope=ClientScope(
            id=client_uuid,
            name=client_id,
            include_in_token_scope=False,
            token_scope_name=client_id,
            mappers=_mappers(document.protocol_mappers),
            roles=realm.roles.closure(own_mappings),
        ),
        default_scopes=realm.alike.one("default scopes", default_scopes, lambda: default_scopes),
        optional_scopes=realm.alike.one("optional scopes", optional_scopes, lambda: _by_name(optional_scopes)),
        own_roles=realm.roles.closure(realm.roles.by_client.get(client_uuid, ())),
        web_origins=_web_origins(document),
        attributes=attributes,
        service_accounts_enabled=service_accounts_enabled,
        keys=_keys(document),
        shared_secrets=_shared_secrets(document, named, rotation=rotation),
        more=more_credentials(authenticator, named) if named else None,
        pairwise=subjects_of(document),
    )


def compile_subject(
    reader: Reader, realm: Realm, user: UserRepresentation, *, of: ClientRepresentation | None = None
) -> Subject:
    """The user of `user`, with the roles held directly and through groups and their parents.

    `of` is the client that it stands for, where that is at hand.
    """
    user_id = given(user.id, "")
    groups = _groups(reader, realm.id, user_id)
    role_ids = list(reader.targets(Relation.USER_ROLE, realm.id, user_id))
    for group_id in groups:
        role_ids.extend(reader.targets(Relation.GROUP_ROLE, realm.id, group_id))
    return Subject(
        id=user_id,
        username=given(user.username, ""),
        enabled=given(user.enabled, False),
        email=given(user.email, "") or None,
        email_verified=given(user.email_verified, False),
        first_name=given(user.first_name, "") or None,
        last_name=given(user.last_name, "") or None,
        attributes=_attributes(user.attributes),
        groups=tuple(group.path for group in groups.values() if group.path is not None),
        roles=realm.roles.closure(role_ids),
        not_before=given(user.not_before, 0),
        required_actions=tuple(given(user.required_actions, [])),
        service_account_client_id=given(user.service_account_client_id if of is None else of.id, "") or None,
        group_attributes=tuple(group.attributes for group in groups.values() if group.attributes),
    )


def _throttle(attributes: Mapping[str, str]) -> Throttle | None:
    after, longest = (attributes.get(name) or "" for name in (THROTTLE_AFTER, THROTTLE_LONGEST))
    if not _SECONDS.fullmatch(after) or not int(after):
        return None
    return Throttle(int(after), int(longest) if _SECONDS.fullmatch(longest) else _LONGEST_WAIT)


def _client_policies(document: RealmRepresentation) -> tuple[ClientPolicy, ...]:
    policies = policies_of(document)
    if not given(policies.policies, []):
        return ()
    from keyturn.oauth2.client_policies import compile_policies  # most realms never need it

    return compile_policies(profiles_of(document), policies, global_profiles())


def _kept_events(document: RealmRepresentation) -> frozenset[str]:
    """Those that the realm names, else those that Keycloak stores by default (``EventType.isSaveByDefault``)."""
    if not given(document.events_enabled, False):
        return frozenset()
    return frozenset(given(document.enabled_event_types, []) or listing("event_types"))


def _roles(reader: Reader, realm_id: str) -> RoleGraph:
    keys = reader.keys_of(ROLES, realm_id, ("id", "name", "container_id"))
    roles = {
        str(role_id): Role(
            str(role_id),
            intern(name or ""),
            intern(container_id) if container_id and container_id != realm_id else None,
        )
        for role_id, name, container_id in keys
    }
    composites: dict[str, list[str]] = {}
    for parent, child in reader.pairs(Relation.COMPOSITE, realm_id):
        composites.setdefault(parent, []).append(child)
    return RoleGraph(roles, {parent: tuple(children) for parent, children in composites.items()})


def _client_scopes(reader: Reader, realm_id: str, roles: RoleGraph) -> Mapping[str, ClientScope]:
    mappings: dict[str, list[str]] = {}
    for scope_id, role_id in reader.pairs(Relation.CLIENT_SCOPE_ROLE_SCOPE, realm_id):
        mappings.setdefault(scope_id, []).append(role_id)
    scopes = {}
    for document in reader.select(CLIENT_SCOPES, realm_id):
        if given(document.protocol, "openid-connect") != "openid-connect":
            continue
        scope_id, name, attributes = given(document.id, ""), given(document.name, ""), given(document.attributes, {})
        scopes[scope_id] = ClientScope(
            id=scope_id,
            name=name,
            include_in_token_scope=attributes.get("include.in.token.scope", "true") == "true",
            token_scope_name=name,
            mappers=_mappers(document.protocol_mappers),
            roles=roles.closure(mappings.get(scope_id, ())),
            order=_gui_order(attributes),
        )
    return scopes


def _owners_of_roles(reader: Reader, realm_id: str, roles: RoleGraph) -> Mapping[str, str]:
    return {
        str(id_): name or "" for id_, name in reader.keys_of(CLIENTS, realm_id, ("id", "client_id"), roles.by_client)
    }


def _assigned(reader: Reader, realm: Realm, relation: Relation, client_uuid: str) -> tuple[ClientScope, ...]:
    ids: Sequence[str] = reader.targets(relation, realm.id, client_uuid)
    return tuple(realm.scopes[scope_id] for scope_id in ids if scope_id in realm.scopes)


def _by_name(scopes: Iterable[ClientScope]) -> Mapping[str, ClientScope]:
    return {scope.name: scope for scope in scopes}


def _acted_on(realm: Realm, attributes: Mapping[str, str]) -> Mapping[str, str]:
    """A client's attributes. When its secret was made, tokens do not tell, and each client has another time there."""
    unseen = _HELD if realm.client_policies else (*_HELD, SECRET_CREATED)
    told = [item for item in attributes.items() if item[0] not in unseen]
    return realm.alike.one("attributes", tuple(told), lambda: dict(told))


def _mappers(documents: Maybe[list[ProtocolMapperRepresentation]]) -> tuple[ProtocolMapper, ...]:
    return tuple(
        ProtocolMapper(
            given(mapper.id, ""),
            intern(given(mapper.name, "")),
            intern(given(mapper.protocol_mapper, "")),
            _config(tuple(given(mapper.config, {}).items())),
        )
        for mapper in given(documents, [])
        if given(mapper.protocol, "openid-connect") == "openid-connect"
    )


@lru_cache(maxsize=1_000)
def _config(settings: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The mappers that every new realm gets are set the same way in each of a thousand realms: it is kept once."""
    return dict(settings)


def _secrets(document: ClientRepresentation, named: _Named, *, rotation: bool) -> tuple[SecretDigest, ...]:
    return tuple(
        SecretDigest(sha256(secret.encode()).digest(), expires, name)
        for secret, expires, name in _live_secrets(document, named, rotation=rotation)
    )


def _live_secrets(
    document: ClientRepresentation, named: _Named, *, rotation: bool
) -> Iterator[tuple[str, int | None, str]]:
    """The secret and, with `rotation`, the one before: when the first has expired, neither counts any more. And those
    that have names. With each its last second and what its use is counted under.

    Source: Keycloak ``ClientIdAndSecretAuthenticator``, ``OIDCClientSecretConfigWrapper``.
    """
    yield from (
        (each.secret, given(each.expires, 0) or None, given(each.name, ""))
        for each in named
        if each.type == SECRET and isinstance(each.secret, str)
    )
    secret, attributes = given(document.secret, ""), given(document.attributes, {})
    if not secret or (named and not secrets_count(given(document.client_authenticator_type, ""))):
        return
    expires, rotated_expires = secret_expires(attributes), seconds(attributes, ROTATED_EXPIRES)
    yield secret, expires, OWN
    if rotation and has_rotated_secret(attributes) and rotated_expires is not None:
        until = rotated_expires if expires is None else min(expires, rotated_expires)
        yield attributes[ROTATED_SECRET], until, ROTATED


def _shared_secrets(document: ClientRepresentation, named: _Named, *, rotation: bool) -> tuple[SharedSecret, ...]:
    if given(document.client_authenticator_type, "") != "client-secret-jwt":
        return ()
    return tuple(
        SharedSecret(secret.encode(), expires, name)
        for secret, expires, name in _live_secrets(document, named, rotation=rotation)
    )


def _keys(document: ClientRepresentation) -> KeySource:
    if given(document.client_authenticator_type, "") != "client-jwt":
        return NO_KEYS
    return key_source(given(document.attributes, {}), given(document.root_url, ""))


def _web_origins(document: ClientRepresentation) -> frozenset[str]:
    """The origins that may call; ``+`` stands for those of the redirect URIs (Keycloak ``WebOriginsUtils``)."""
    origins = set(given(document.web_origins, []))
    if not origins:
        return _NOTHING
    if "+" in origins:
        origins.discard("+")
        origins |= set(_origins(given(document.redirect_uris, []), given(document.root_url, "")))
    return frozenset(origins)


def _origins(redirect_uris: Iterable[str], root_url: str) -> Iterable[str]:
    for uri in redirect_uris:
        absolute = root_url + uri if uri.startswith("/") else uri
        scheme, separator, rest = absolute.partition("://")
        if separator and scheme in ("http", "https"):
            yield f"{scheme}://{rest.partition('/')[0]}"


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of a user; `path` None for one above it, that only passes its roles and attributes down."""

    path: str | None
    attributes: Mapping[str, tuple[str, ...]]


def _groups(reader: Reader, realm_id: str, user_id: str) -> dict[str, _Group]:
    """The user's groups and those above them by id, the nearest first."""
    chains = []
    for group_id in reader.targets(Relation.MEMBERSHIP, realm_id, user_id):
        chain: list[GroupRepresentation] = []
        current: str | None = group_id
        while current is not None and (group := reader.get(GROUPS, realm_id, current)) is not None:
            chain.append(group)
            current = given(group.parent_id, "") or None
        if chain:
            chains.append(chain)
    found = {}
    for chain in sorted(chains, key=lambda chain: given(chain[0].name, "")):
        path = "/" + "/".join(given(group.name, "") for group in reversed(chain))
        found[given(chain[0].id, "")] = _Group(path, _attributes(chain[0].attributes))
    for group in (group for chain in chains for group in chain[1:]):
        found.setdefault(given(group.id, ""), _Group(None, _attributes(group.attributes)))
    return found


def _attributes(attributes: Maybe[dict[str, list[str]]]) -> Mapping[str, tuple[str, ...]]:
    if not given(attributes, {}):
        return _NO_ATTRIBUTES
    return {name: tuple(values) for name, values in given(attributes, {}).items()}


def _gui_order(attributes: Mapping[str, str]) -> int:
    """Where the scope stands in the ``scope`` claim; without ``gui.order`` it is last (Keycloak ``OrderedModel``)."""
    order = attributes.get("gui.order", "")
    return int(order) if _ORDER.fullmatch(order) else 2**31
