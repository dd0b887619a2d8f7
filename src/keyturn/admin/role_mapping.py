"""Roles that are mapped to something: to users, to groups, to the scopes of clients and of client scopes."""

from collections.abc import Iterable

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.role_documents import role_documents
from keyturn.representations import UNSET
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.mappings import ClientMappingsRepresentation, MappingsRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import CLIENTS, ROLES

__all__ = ["find_client_of_roles", "mappings_document", "of_client", "of_realm", "roles_of", "roles_of_realm"]


def of_realm(roles: Iterable[RoleRepresentation]) -> list[RoleRepresentation]:
    """Those of `roles` that are the realm's."""
    return [role for role in roles if role.client_role is not True]


def of_client(roles: Iterable[RoleRepresentation], client: ClientRepresentation) -> list[RoleRepresentation]:
    """Those of `roles` that are the client's."""
    return [role for role in roles if role.container_id == client.id]


def roles_of_realm(realm: RealmView) -> list[RoleRepresentation]:
    """All realm roles, by name."""
    return list(realm.reader.select(ROLES, realm.id, where={"container_id": realm.id}, order_by="name"))


def roles_of(realm: RealmView, client: ClientRepresentation) -> list[RoleRepresentation]:
    """All roles of the client, by name."""
    return list(realm.reader.select(ROLES, realm.id, where={"container_id": str(client.id)}, order_by="name"))


def find_client_of_roles(realm: RealmView, client_id: str) -> ClientRepresentation:
    """The client of this ``id``, whose roles are asked for. Raises NotFound."""
    client = realm.reader.get(CLIENTS, realm.id, client_id)
    if client is None:
        raise NotFound("Could not find client")
    return client


def mappings_document(realm: RealmView, roles: Iterable[RoleRepresentation]) -> MappingsRepresentation:
    """`roles` as a document of mappings: the realm's, and the clients' by ``clientId``. What is empty is left out."""
    roles = list(roles)
    in_realm = of_realm(roles)
    by_client: dict[str, list[RoleRepresentation]] = {}
    for role in roles:
        if role.client_role is True:
            by_client.setdefault(str(role.container_id), []).append(role)
    in_clients = {
        str(client.client_id): ClientMappingsRepresentation(
            id=client.id, client=client.client_id, mappings=role_documents(realm, by_client[str(client.id)])
        )
        for client in realm.reader.get_many(CLIENTS, realm.id, by_client)
    }
    return MappingsRepresentation(
        realm_mappings=role_documents(realm, in_realm) if in_realm else UNSET, client_mappings=in_clients or UNSET
    )
