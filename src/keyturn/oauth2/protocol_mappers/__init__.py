"""Owns the protocol mappers: how claims follow from the user, the client and its scopes.

Refuses to decide which scopes or roles a token gets: that is settled before.
"""

from operator import itemgetter
from typing import Final

from keyturn.model.client_scope import ProtocolMapper
from keyturn.model.roles import Role
from keyturn.oauth2.protocol_mappers.audience import AllowedOrigins, Audience, AudienceResolve
from keyturn.oauth2.protocol_mappers.hardcoded import HardcodedClaim
from keyturn.oauth2.protocol_mappers.roles import ClientRoles, HardcodedRole, RealmRoles, RoleName
from keyturn.oauth2.protocol_mappers.session import (
    AuthenticationContext,
    AuthenticationMethods,
    SessionNote,
    SessionState,
)
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Mapper, Target
from keyturn.oauth2.protocol_mappers.subject import PairwiseSubject, SubjectId
from keyturn.oauth2.protocol_mappers.user import Address, FullName, GroupMembership, UserAttribute, UserProperty
from keyturn.representations import RoleRepresentation, given

__all__ = ["MAPPERS", "Claims", "ClaimsContext", "Mapper", "Target", "apply_mappers"]

MAPPERS: Final[tuple[Mapper, ...]] = (
    SubjectId(),
    PairwiseSubject(),
    UserAttribute(),
    UserProperty(),
    FullName(),
    Address(),
    GroupMembership(),
    SessionNote(),
    SessionState(),
    AuthenticationContext(),
    AuthenticationMethods(),
    HardcodedClaim(),
    Audience(),
    AllowedOrigins(),
    RoleName(),
    HardcodedRole(),
    AudienceResolve(),
    RealmRoles(),
    ClientRoles(),
)

_BY_PROVIDER: Final = {mapper.provider: mapper for mapper in MAPPERS}


def apply_mappers(claims: Claims, context: ClaimsContext, target: Target) -> None:
    """Runs the mappers of all granted scopes on `claims`: low priority first, the client's own last among equals.

    ``realm_roles`` and ``client_roles`` are filled from ``context.roles`` first. ``aud`` ends as a text where it is
    one. A mapper of an unknown kind does nothing. Source: Keycloak ``ProtocolMapperUtils.getSortedProtocolMappers``.
    """
    _fill_roles(claims, context)
    runs: list[tuple[int, Mapper, ProtocolMapper]] = []
    for scope in (*context.scopes.others, context.scopes.own):
        for settings in scope.mappers:
            mapper = _BY_PROVIDER.get(settings.provider)
            if mapper is not None and mapper.applies(settings, target):
                runs.append((mapper.priority, mapper, settings))
    for _, mapper, settings in sorted(runs, key=itemgetter(0)):
        mapper.apply(claims, settings, context, target)
    audience = claims.members.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        claims.members["aud"] = audience[0]


def _fill_roles(claims: Claims, context: ClaimsContext) -> None:
    roles = [role for role_id in context.roles if (role := context.realm.roles.roles.get(role_id))]
    if context.realm.strictness.small_tokens:
        roles = [role for role in roles if not _is_for_people(role, context)]
    for role in sorted(roles, key=lambda role: role.name):
        if role.client_id is None:
            claims.realm_roles.append(role.name)
        elif client_id := context.realm.client_ids.get(role.client_id):
            claims.client_roles.setdefault(client_id, []).append(role.name)


_FOR_PEOPLE: Final = frozenset({"offline_access", "uma_authorization"})
_ACCOUNT: Final = "account"


def _is_for_people(role: Role, context: ClaimsContext) -> bool:
    """Whether every user has the role by default, and no machine asks for it."""
    if role.client_id is not None:
        return context.realm.client_ids.get(role.client_id) == _ACCOUNT
    default = given(context.realm.document.default_role, RoleRepresentation())
    return role.name in _FOR_PEOPLE or default.id == role.id
