"""How ``master`` administers the other realms: a client for each, whose roles are rights in that realm."""

from dataclasses import dataclass
from typing import Final

from keyturn.model.new_documents import NewId, new_role
from keyturn.representations import ClientRepresentation, RoleRepresentation, given, replace
from keyturn.representations.defaults import fragment

__all__ = ["BUILT_IN_CLIENTS", "MASTER", "MasterSide", "administration_client_id", "master_side"]


MASTER: Final = "master"
"""The realm whose administrators administer all realms."""

BUILT_IN_CLIENTS: Final = frozenset(
    {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
)
"""Every realm has them; they cannot be removed (Keycloak ``Constants.defaultClients``)."""


def administration_client_id(realm: str) -> str:
    """The ``clientId`` in ``master`` of the client that administers `realm`."""
    return f"{realm}-realm"


@dataclass(frozen=True, slots=True)
class MasterSide:
    """What is stored in ``master`` for a new realm, ids given."""

    client: ClientRepresentation
    roles: list[RoleRepresentation]
    composites: list[tuple[str, str]]
    """(role id, id of a role in it): all of the roles are in master's role ``admin``, too."""


def master_side(realm: str, *, master_id: str, admin_role_id: str, new_id: NewId) -> MasterSide:
    """What ``master`` gets for a new realm other than itself. The client has no client scopes.

    Args:
        realm: the new realm's name.
        master_id: the id of ``master``.
        admin_role_id: the id of its role ``admin``.
        new_id: makes a UUID.

    Source: Keycloak ``RealmManager.setupMasterAdminManagement``.
    """
    defaults = fragment("administration", realm)
    client = replace(given(defaults.clients, [])[0], id=new_id())
    client_id = given(client.client_id, "")
    roles = given(given(defaults.roles, None).client, {})[client_id]  # type: ignore[union-attr]  # the data has roles
    made = [new_role(role, realm_id=master_id, client_id=given(client.id, ""), new_id=new_id) for role in roles]
    ids = {given(role.name, ""): given(role.id, "") for role in made}
    composites = [(admin_role_id, role) for role in ids.values()]
    for role in roles:
        inner = given(role.composites, None)
        names = given(inner.client, {})[client_id] if inner is not None else []
        composites += [(ids[given(role.name, "")], ids[name]) for name in names]
    return MasterSide(client, made, composites)
