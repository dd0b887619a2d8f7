"""What Keycloak makes of documents that are created: the values of absent fields, and what it does not take."""

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from keyturn.model.client_use import settable
from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ClientScopeRepresentation,
    ComponentRepresentation,
    GroupRepresentation,
    Maybe,
    ProtocolMapperRepresentation,
    RoleRepresentation,
    UserRepresentation,
    given,
    present,
    replace,
    without_nulls,
)

__all__ = [
    "CREATION_TIME",
    "NewId",
    "changed_protocol_mapper",
    "default_role_name",
    "new_client",
    "new_client_scope",
    "new_component",
    "new_group",
    "new_protocol_mapper",
    "new_role",
    "new_service_account",
    "new_user",
    "scopes_of_new_client",
    "service_account_username",
]

NewId = Callable[[], str]

CREATION_TIME: Final = "client.secret.creation.time"
"""The client attribute with the second in which its secret was generated."""

_SERVICE_ACCOUNT_SCOPE: Final = "service_account"
_ORIGIN: Final = re.compile(r"https?", re.IGNORECASE)


def new_client(
    representation: ClientRepresentation, *, new_id: NewId, new_secret: Callable[[], str], now: int
) -> ClientRepresentation:
    """The client to store for one that is posted; `now` is in epoch seconds.

    A client that is not public gets a secret, whatever its authenticator. Scopes are relations, not fields: see
    `scopes_of_new_client`. A missing ``clientId`` is the id.

    Source: Keycloak ``ClientManager.createClient``, ``RepresentationToModel.createClient``; asked of Keycloak.
    """
    client = without_nulls(representation)
    identifier = given(client.id, "") or new_id()
    public = given(client.public_client, False)
    attributes = {name: value for name, value in settable(given(client.attributes, {})).items() if value}
    attributes = {"realm_client": "false", **{k: v for k, v in attributes.items() if k != "realm_client"}}
    secret: Maybe[str] = UNSET if public else client.secret
    if not public and not present(secret):
        secret = new_secret()
        if CREATION_TIME not in given(representation.attributes, {}):  # what is sent for it counts, even nothing
            attributes[CREATION_TIME] = str(now)
    direct_grants_only = given(client.direct_grants_only, False)
    mappers = [new_protocol_mapper(mapper, new_id=new_id) for mapper in given(client.protocol_mappers, [])]
    redirect_uris = list(dict.fromkeys(given(client.redirect_uris, [])))
    return replace(
        client,
        id=identifier,
        client_id=given(client.client_id, identifier),
        surrogate_auth_required=given(client.surrogate_auth_required, False),
        enabled=given(client.enabled, True),
        always_display_in_console=given(client.always_display_in_console, False),
        client_authenticator_type=given(client.client_authenticator_type, "client-secret"),
        secret=secret,
        registration_access_token=UNSET,
        default_roles=UNSET,
        redirect_uris=redirect_uris,
        web_origins=list(dict.fromkeys(given(client.web_origins, _origins(redirect_uris)))),
        not_before=given(client.not_before, 0),
        bearer_only=given(client.bearer_only, False),
        consent_required=given(client.consent_required, False),
        standard_flow_enabled=given(client.standard_flow_enabled, not direct_grants_only),
        implicit_flow_enabled=given(client.implicit_flow_enabled, False),
        direct_access_grants_enabled=given(client.direct_access_grants_enabled, direct_grants_only),
        service_accounts_enabled=given(client.service_accounts_enabled, False),
        direct_grants_only=UNSET,
        public_client=public,
        frontchannel_logout=given(client.frontchannel_logout, False),
        protocol=given(client.protocol, "openid-connect"),
        attributes=attributes,
        authentication_flow_binding_overrides=given(client.authentication_flow_binding_overrides, {}),
        full_scope_allowed=given(client.full_scope_allowed, not given(client.consent_required, False)),
        node_re_registration_timeout=given(client.node_re_registration_timeout, -1),
        protocol_mappers=mappers or UNSET,
        client_template=UNSET,
        use_template_config=UNSET,
        use_template_scope=UNSET,
        use_template_mappers=UNSET,
        default_client_scopes=UNSET,
        optional_client_scopes=UNSET,
        access=UNSET,
        origin=UNSET,
    )


def _origins(redirect_uris: Iterable[str]) -> list[str]:
    """The origins of absolute redirect URIs, which a client without ``webOrigins`` gets."""
    return list(dict.fromkeys(origin for uri in redirect_uris if (origin := _origin(uri))))


def _origin(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:  # no URI, which is for others to say
        return ""
    return f"{parts.scheme}://{parts.netloc}" if _ORIGIN.fullmatch(parts.scheme) else ""


def scopes_of_new_client(
    client: ClientRepresentation,
    *,
    available: Iterable[ClientScopeRepresentation],
    realm_default: Iterable[str],
    realm_optional: Iterable[str],
) -> tuple[list[str], list[str]]:
    """The ids of the default and of the optional scopes of a client that is posted as `client`.

    Its own lists (names) count if it has one of them, else the realm's (ids). Scopes of another protocol and unknown
    ones are left out; a service account adds the scope ``service_account``.

    Args:
        client: as it was posted.
        available: the realm's client scopes.
        realm_default: ids of the realm's default scopes.
        realm_optional: ids of its optional ones.
    """
    protocol = given(client.protocol, "openid-connect")
    usable = [scope for scope in available if given(scope.protocol, protocol) == protocol]
    ids = {given(scope.id, "") for scope in usable}
    by_name = {given(scope.name, ""): given(scope.id, "") for scope in usable}
    if present(client.default_client_scopes) or present(client.optional_client_scopes):
        default = [by_name[name] for name in given(client.default_client_scopes, []) if name in by_name]
        optional = [by_name[name] for name in given(client.optional_client_scopes, []) if name in by_name]
    else:
        default = [scope for scope in realm_default if scope in ids]
        optional = [scope for scope in realm_optional if scope in ids]
    if given(client.service_accounts_enabled, False) and _SERVICE_ACCOUNT_SCOPE in by_name:
        default.append(by_name[_SERVICE_ACCOUNT_SCOPE])
    default = list(dict.fromkeys(default))
    return default, [scope for scope in dict.fromkeys(optional) if scope not in default]


def new_protocol_mapper(mapper: ProtocolMapperRepresentation, *, new_id: NewId) -> ProtocolMapperRepresentation:
    """The mapper to store for one that comes in a document of its owner's.

    What goes into ID tokens goes into userinfo, unless it says otherwise.
    Source: Keycloak ``RepresentationToModel.toModel``.
    """
    made = changed_protocol_mapper(mapper, new_id=new_id)
    config = given(made.config, {})
    if "id.token.claim" not in config or "userinfo.token.claim" in config:
        return made
    return replace(made, config={**config, "userinfo.token.claim": config["id.token.claim"]})


def changed_protocol_mapper(mapper: ProtocolMapperRepresentation, *, new_id: NewId) -> ProtocolMapperRepresentation:
    """The mapper to store in the place of another: with an id, and without empty values."""
    return replace(
        without_nulls(mapper),
        id=given(mapper.id, "") or new_id(),
        consent_required=False,
        consent_text=UNSET,
        config={name: value for name, value in given(mapper.config, {}).items() if value},
    )


def new_client_scope(
    scope: ClientScopeRepresentation, *, new_id: NewId, built_in: bool = False
) -> ClientScopeRepresentation:
    """The client scope to store for one that is posted, or for one of every realm (`built_in`)."""
    new_mapper = changed_protocol_mapper if built_in else new_protocol_mapper
    mappers = [new_mapper(mapper, new_id=new_id) for mapper in given(scope.protocol_mappers, [])]
    return replace(
        without_nulls(scope),
        id=given(scope.id, "") or new_id(),
        attributes=given(scope.attributes, {}),
        protocol_mappers=mappers or UNSET,
    )


def new_role(role: RoleRepresentation, *, realm_id: str, client_id: str | None, new_id: NewId) -> RoleRepresentation:
    """The role to store for one that is posted: of the client whose ``id`` is `client_id`, or of the realm.

    The posted id is not taken, which is for imports of whole realms. Composites are relations, not fields;
    ``composite`` says that some were asked for.
    """
    composites = given(role.composites, None)
    return RoleRepresentation(
        id=new_id(),
        name=given(role.name, ""),
        description=UNSET if role.description is None else role.description,
        composite=composites is not None and bool(given(composites.realm, []) or given(composites.client, {})),
        client_role=client_id is not None,
        container_id=client_id or realm_id,
        attributes={name: values for name, values in given(role.attributes, {}).items() if values},
    )


def default_role_name(realm: str) -> str:
    """The name of the role that every new user of the realm gets."""
    return f"default-roles-{realm.lower()}"


def new_user(user: UserRepresentation, *, new_id: NewId, now_ms: int) -> UserRepresentation:
    """The user to store for one that is posted or imported, disabled unless it says otherwise.

    Roles and groups are relations, not fields. The id is the posted one: Keycloak takes it in imports only. Credentials
    stay as they are given, and are for the caller to hash.
    """
    attributes = {name: values for name, values in given(user.attributes, {}).items() if values}
    email = given(user.email, "")
    return replace(
        without_nulls(user),
        id=given(user.id, "") or new_id(),
        username=given(user.username, "").lower(),
        email=email.lower() if email else UNSET,
        email_verified=given(user.email_verified, False),
        attributes=attributes or UNSET,
        user_profile_metadata=UNSET,
        enabled=given(user.enabled, False),
        self=UNSET,
        origin=UNSET,
        created_timestamp=given(user.created_timestamp, now_ms),
        totp=False,
        disableable_credential_types=[],
        required_actions=given(user.required_actions, []),
        realm_roles=UNSET,
        client_roles=UNSET,
        application_roles=UNSET,
        not_before=given(user.not_before, 0),
        groups=UNSET,
        access=UNSET,
    )


def service_account_username(client_id: str) -> str:
    """The name of the user that stands for a client, by its ``clientId``."""
    return f"service-account-{client_id}".lower()


def new_service_account(client: ClientRepresentation, *, new_id: NewId, now_ms: int) -> UserRepresentation:
    """The user that stands for `client`. ``service_account_client_id`` holds the client's ``id``."""
    user = UserRepresentation(
        username=service_account_username(given(client.client_id, "")),
        enabled=True,
        service_account_client_id=client.id,
    )
    return new_user(user, new_id=new_id, now_ms=now_ms)


def new_group(group: GroupRepresentation, *, parent: GroupRepresentation | None, new_id: NewId) -> GroupRepresentation:
    """The group to store for one that is posted below `parent`. Roles and subgroups are relations, not fields."""
    name = given(group.name, "")
    return GroupRepresentation(
        id=given(group.id, "") or new_id(),
        name=name,
        description=UNSET if group.description is None else group.description,
        path=f"{given(parent.path, '') if parent else ''}/{name}",
        parent_id=parent.id if parent else UNSET,
        attributes=given(group.attributes, {}),
    )


def new_component(component: ComponentRepresentation, *, parent_id: str, new_id: NewId) -> ComponentRepresentation:
    """The component to store for one that is posted; without ``parentId`` it belongs to `parent_id`, the realm's id."""
    return replace(
        without_nulls(component),
        id=given(component.id, "") or new_id(),
        parent_id=given(component.parent_id, parent_id),
        config=given(component.config, {}),
    )
