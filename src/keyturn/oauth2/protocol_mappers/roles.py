"""The roles: which there are, what they are called, and under which claims they stand."""

from typing import ClassVar, Final

from keyturn.model.client_scope import ProtocolMapper
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target

_ROLE: Final = "role"
_MASTER: Final = "master"
_MASTER_ADMIN_ROLES: Final = frozenset({"admin", "create-realm"})
_REALM_MANAGEMENT: Final = "realm-management"


class HardcodedRole:
    """A role that every token has, whether or not it exists (Keycloak ``HardcodedRole``).

    A role of the administration is only added where the subject holds it: whoever may edit a client would else make
    administrators.
    """

    provider: ClassVar[str] = "oidc-hardcoded-role-mapper"
    priority: ClassVar[int] = 20

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Everywhere."""
        return bool(mapper.config.get(_ROLE))

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Adds the role to those that the role mappers show."""
        _add(claims, context, *_split(mapper.config[_ROLE]))


class RoleName:
    """Another name for a role, in another client as well (Keycloak ``RoleNameMapper``)."""

    provider: ClassVar[str] = "oidc-role-name-mapper"
    priority: ClassVar[int] = 10

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Everywhere."""
        return bool(mapper.config.get(_ROLE) and mapper.config.get("new.role.name"))

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Renames the role, if it is one of the token's."""
        client_id, name = _split(mapper.config[_ROLE])
        roles = claims.realm_roles if client_id is None else claims.client_roles.get(client_id, [])
        if name in roles:
            roles.remove(name)
            _add(claims, context, *_split(mapper.config["new.role.name"]))


class RealmRoles:
    """The realm roles under a claim (Keycloak ``UserRealmRoleMappingMapper``)."""

    provider: ClassVar[str] = "oidc-usermodel-realm-role-mapper"
    priority: ClassVar[int] = 40

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the names, with a prefix where one is set."""
        prefix = mapper.config.get("usermodel.realmRoleMapping.rolePrefix", "")
        _put(claims, mapper, mapper.config.get(claim.CLAIM_NAME, ""), prefix, claims.realm_roles)


class ClientRoles:
    """The roles of one client or of all under a claim (Keycloak ``UserClientRoleMappingMapper``).

    ``${client_id}`` in the claim's name stands for the client that owns the roles.
    """

    provider: ClassVar[str] = "oidc-usermodel-client-role-mapper"
    priority: ClassVar[int] = 40

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the names, with a prefix where one is set."""
        prefix = mapper.config.get("usermodel.clientRoleMapping.rolePrefix", "")
        only = mapper.config.get("usermodel.clientRoleMapping.clientId")
        path = mapper.config.get(claim.CLAIM_NAME, "")
        for client_id, roles in claims.client_roles.items():
            if not only or client_id == only:
                _put(claims, mapper, path.replace("${client_id}", claim.escape(client_id)), prefix, roles)


def _put(claims: Claims, mapper: ProtocolMapper, path: str, prefix: str, roles: list[str]) -> None:
    if not roles:
        return
    json_type = mapper.config.get(claim.JSON_TYPE)
    names = [claim.convert(prefix + role, json_type) for role in roles]
    if mapper.config.get(claim.MULTIVALUED) == "true":
        claim.put(claims.members, path, names, extend=True)
    else:
        claim.put(claims.members, path, names[0])


def _add(claims: Claims, context: ClaimsContext, client_id: str | None, name: str) -> None:
    if _administers(context, client_id, name) and not _holds(context, client_id, name):
        return
    roles = claims.realm_roles if client_id is None else claims.client_roles.setdefault(client_id, [])
    if name not in roles:
        roles.append(name)


def _split(role: str) -> tuple[str | None, str]:
    """The client, if any, and the name: the last dot separates them (Keycloak ``KeycloakModelUtils.parseRole``)."""
    client_id, dot, name = role.rpartition(".")
    return (client_id if dot else None), name


def _administers(context: ClaimsContext, client_id: str | None, name: str) -> bool:
    if context.realm.name != _MASTER:
        return client_id == _REALM_MANAGEMENT
    return name in _MASTER_ADMIN_ROLES if client_id is None else client_id.endswith("-realm")


def _holds(context: ClaimsContext, client_id: str | None, name: str) -> bool:
    for role_id in context.subject.roles:
        role = context.realm.roles.roles.get(role_id)
        if role is not None and role.name == name:
            owner = None if role.client_id is None else context.realm.client_ids.get(role.client_id)
            if owner == client_id:
                return True
    return False
