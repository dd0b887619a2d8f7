"""Protocol mappers of clients and client scopes: one resource, mounted at both.

Source: Keycloak ``ProtocolMappersResource``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.client_access import require_manage
from keyturn.admin.client_validation import check_mapper_ids
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import Conflict, DuplicateResource, InvalidRequest, NotFound, OAuthError
from keyturn.admin.permissions import MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.admin.server_info import mapper_types
from keyturn.model.new_documents import changed_protocol_mapper
from keyturn.model.pairwise import SALT, SECTOR, is_pairwise, sector_problem
from keyturn.representations import UNSET, given, present
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS

__all__ = ["MapperOwner", "client_as_owner", "client_scope_as_owner", "protocol_mappers"]

_LONGEST: Final = 255
_ID_TOKENS_ONLY: Final = frozenset({"oidc-nonce-backwards-compatible-mapper", "oidc-claims-param-value-idtoken-mapper"})
_NEVER_INTROSPECTED: Final = frozenset({"oidc-nonce-backwards-compatible-mapper"})
_ACCESS_TOKENS_ONLY: Final = frozenset({"oidc-allowed-origins-mapper", "oidc-audience-resolve-mapper"})
_FOLLOWED: Final = {
    "introspection.token.claim": ("access.token.claim", _NEVER_INTROSPECTED | _ACCESS_TOKENS_ONLY),
    "userinfo.token.claim": ("id.token.claim", _ID_TOKENS_ONLY | _ACCESS_TOKENS_ONLY),
}
"""Settings that follow another one unless they are given, and the mappers whose setting does not."""
_ORGANIZATION: Final = "oidc-organization-membership-mapper"
_OF_ORGANIZATIONS: Final = {"claim.name": "organization", "jsonType.label": "String", "multivalued": "true"}
_OF_SEVERAL_ORGANIZATIONS: Final = {"addOrganizationAttributes": "false", "addOrganizationId": "false"}


@dataclass(frozen=True, slots=True)
class MapperOwner:
    """Whose mappers, and how they are stored; `require_manage` raises Forbidden."""

    mappers: list[ProtocolMapperRepresentation]
    require_manage: Callable[[RealmView], None]
    store: Callable[[RealmAdmin, list[ProtocolMapperRepresentation]], None]
    client: ClientRepresentation | None = None


def client_as_owner(realm: RealmView, client: ClientRepresentation) -> MapperOwner:
    """The client's own mappers."""
    return MapperOwner(
        given(client.protocol_mappers, []),
        lambda view: require_manage(view, client),
        lambda admin, mappers: admin.update(CLIENTS, replace(client, protocol_mappers=mappers or UNSET)),
        client,
    )


def client_scope_as_owner(realm: RealmView, client_scope: ClientScopeRepresentation) -> MapperOwner:
    """The client scope's mappers."""
    return MapperOwner(
        given(client_scope.protocol_mappers, []),
        lambda view: view.require(MANAGE_CLIENTS),
        lambda admin, mappers: admin.update(CLIENT_SCOPES, replace(client_scope, protocol_mappers=mappers or UNSET)),
    )


protocol_mappers: Final = Resource("protocol mappers", located=("owner",), event=Recorded("PROTOCOL_MAPPER"))


def _is_known(mapper: ProtocolMapperRepresentation) -> bool:
    """Whether there is such a mapper: documents may bring others, which only the owner's own document shows."""
    return mapper.protocol_mapper in mapper_types()


def _is_oidc(mapper: ProtocolMapperRepresentation) -> bool:
    return str(mapper.protocol_mapper).startswith("oidc-")


def _shown(mapper: ProtocolMapperRepresentation) -> ProtocolMapperRepresentation:
    """The mapper as it works: unless it says otherwise, introspection follows access tokens, userinfo ID tokens, and
    what is for access tokens alone is on.

    Source: Keycloak ``ProtocolMapper.getEffectiveModel``.
    """
    config = given(mapper.config, {})
    if mapper.protocol_mapper == _ORGANIZATION:  # asked of Keycloak
        told = {} if config.get("multivalued") == "true" else _OF_SEVERAL_ORGANIZATIONS
        return replace(mapper, config=_OF_ORGANIZATIONS | config | told)
    effective = dict(config)
    if mapper.protocol_mapper in _ACCESS_TOKENS_ONLY:
        effective = {"introspection.token.claim": "true", "access.token.claim": "true", **config}
    for name, (followed, unless) in _FOLLOWED.items():
        if followed in config and _is_oidc(mapper) and mapper.protocol_mapper not in unless:
            effective.setdefault(name, config[followed])
    return mapper if effective == config else replace(mapper, config=effective)


@protocol_mappers.get("models", needs=VIEW_CLIENTS)
def get_mappers(realm: RealmView, owner: MapperOwner) -> list[ProtocolMapperRepresentation]:
    """All of the owner's mappers."""
    return [_shown(mapper) for mapper in owner.mappers if _is_known(mapper)]


@protocol_mappers.get("protocol/{protocol}", needs=VIEW_CLIENTS)
def get_mappers_of_protocol(realm: RealmView, owner: MapperOwner, protocol: str) -> list[ProtocolMapperRepresentation]:
    """The owner's mappers of one protocol."""
    return [_shown(mapper) for mapper in owner.mappers if mapper.protocol == protocol and _is_known(mapper)]


@protocol_mappers.get("models/{mapper_id}", needs=VIEW_CLIENTS)
def get_mapper(realm: RealmView, owner: MapperOwner, mapper_id: str) -> ProtocolMapperRepresentation:
    """One mapper."""
    mapper = _found(owner, mapper_id)
    if not _is_known(mapper):
        raise NotFound("Protocol mapper provider not found")
    return _shown(mapper)


@protocol_mappers.post("models", needs=MANAGE_CLIENTS, no_cache=True)
def post_mapper(realm: RealmAdmin, owner: MapperOwner, mapper: ProtocolMapperRepresentation) -> Created:
    """Creates a mapper."""
    owner.require_manage(realm)
    if any(
        (each.name, each.protocol) == (mapper.name, mapper.protocol) or each.id == mapper.id for each in owner.mappers
    ):
        raise Conflict("Protocol mapper exists with same name")
    made = _made(realm, owner, mapper)
    owner.store(realm, [*owner.mappers, made])
    return Created(str(made.id))


@protocol_mappers.post("add-models", needs=MANAGE_CLIENTS, no_cache=True)
def post_mappers(realm: RealmAdmin, owner: MapperOwner, mappers: list[ProtocolMapperRepresentation]) -> NoContent:
    """Creates several mappers, all or none."""
    owner.require_manage(realm)
    all_mappers = list(owner.mappers)
    for mapper in mappers:
        if any((each.name, each.protocol) == (mapper.name, mapper.protocol) for each in all_mappers):
            raise OAuthError(409, "conflict", "Protocol mapper name must be unique per protocol")
        all_mappers.append(_made(realm, owner, mapper))
    check_mapper_ids(all_mappers)
    owner.store(realm, all_mappers)
    return NoContent()


@protocol_mappers.put("models/{mapper_id}", needs=MANAGE_CLIENTS, no_cache=True)
def put_mapper(
    realm: RealmAdmin, owner: MapperOwner, mapper_id: str, change: ProtocolMapperRepresentation
) -> NoContent:
    """Replaces type and configuration; the name and protocol stay."""
    owner.require_manage(realm)
    stored = _found(owner, mapper_id)
    _check_type(owner, change)
    if change.id != mapper_id:
        raise InvalidRequest("The mapper's id is not the one in the path")
    changed = _salted(realm, changed_protocol_mapper(change, new_id=realm.new_id))
    changed = replace(changed, name=stored.name, protocol=stored.protocol)
    owner.store(realm, [changed if each.id == mapper_id else each for each in owner.mappers])
    return NoContent()


@protocol_mappers.delete("models/{mapper_id}", needs=MANAGE_CLIENTS, no_cache=True)
def delete_mapper(realm: RealmAdmin, owner: MapperOwner, mapper_id: str) -> NoContent:
    """Removes a mapper."""
    owner.require_manage(realm)
    _found(owner, mapper_id)
    owner.store(realm, [each for each in owner.mappers if each.id != mapper_id])
    return NoContent()


def _found(owner: MapperOwner, mapper_id: str) -> ProtocolMapperRepresentation:
    for mapper in owner.mappers:
        if mapper.id == mapper_id:
            return mapper
    raise NotFound("Model not found")


def _made(realm: RealmAdmin, owner: MapperOwner, mapper: ProtocolMapperRepresentation) -> ProtocolMapperRepresentation:
    _check_type(owner, mapper)
    if not present(mapper.name) or not present(mapper.protocol):
        raise DuplicateResource
    if len(str(mapper.name)) > _LONGEST:
        raise InvalidRequest(f"The name is longer than {_LONGEST} characters")
    return _salted(realm, changed_protocol_mapper(mapper, new_id=realm.new_id))


def _salted(realm: RealmAdmin, mapper: ProtocolMapperRepresentation) -> ProtocolMapperRepresentation:
    """`mapper` with a salt, where it needs one and has none."""
    config = given(mapper.config, {})
    if not is_pairwise(mapper) or config.get(SALT, "").strip():
        return mapper
    return replace(mapper, config={**config, SALT: realm.new_id()})


def _check_type(owner: MapperOwner, mapper: ProtocolMapperRepresentation) -> None:
    if not _is_known(mapper):
        raise NotFound("ProtocolMapper provider not found")
    if is_pairwise(mapper):
        # A client scope is of no sector: what its mapper would do depends on the client.
        client = owner.client or ClientRepresentation()
        problem = sector_problem(client, given(mapper.config, {}).get(SECTOR))
        if problem is not None:
            raise OAuthError(400, problem, problem.replace("Invalid", "Malformed"))
