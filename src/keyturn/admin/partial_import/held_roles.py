"""The roles that imported users and groups hold, made where they are not there, as Keycloak does."""

from collections.abc import Iterator

from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import InvalidRequest
from keyturn.model.new_documents import new_role
from keyturn.representations import Maybe, given
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import CLIENTS, ROLES

__all__ = ["held_roles"]


def held_roles(
    realm: RealmAdmin, realm_roles: Maybe[list[str]], client_roles: Maybe[dict[str, list[str]]]
) -> Iterator[str]:
    """The ids of the roles of these names. Raises InvalidRequest for a client that is not there."""
    for name in given(realm_roles, []):
        yield _role(realm, None, name.strip())
    for client_id, names in given(client_roles, {}).items():
        client = realm.tx.find(CLIENTS, realm.id, client_id=client_id)
        if client is None:
            raise InvalidRequest(f"Unable to find client of roles: {client_id}")
        for name in names:
            yield _role(realm, str(client.id), name.strip())


def _role(realm: RealmAdmin, client_id: str | None, name: str) -> str:
    role = realm.tx.find(ROLES, realm.id, container_id=client_id or realm.id, name=name)
    if role is None:
        role = new_role(RoleRepresentation(name=name), realm_id=realm.id, client_id=client_id, new_id=realm.new_id)
        realm.tx.insert(ROLES, realm.id, role)
    return str(role.id)
