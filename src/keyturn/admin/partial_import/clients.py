"""Clients of a partial import. Source: Keycloak ``ClientsPartialImport``."""

from dataclasses import dataclass

from keyturn.admin.client_changes import delete_client, import_client
from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import InvalidRequest
from keyturn.model.administration import BUILT_IN_CLIENTS
from keyturn.representations import UNSET, given, replace
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.partial_import import ResourceType
from keyturn.store.collections import CLIENTS

__all__ = ["Clients"]


@dataclass(frozen=True, slots=True)
class Clients:
    """See `Kind`."""

    realm: RealmAdmin
    type: ResourceType = "CLIENT"

    def takes(self, client: ClientRepresentation) -> bool:  # imports pass by what every realm has
        return client.client_id not in BUILT_IN_CLIENTS

    def name(self, client: ClientRepresentation) -> str:
        name = given(client.client_id, "")
        if not name.strip():
            raise InvalidRequest("A client needs a clientId")
        return name

    def find(self, client: ClientRepresentation) -> str | None:
        found = self._found(client)
        return None if found is None else str(found.id)

    def _found(self, client: ClientRepresentation) -> ClientRepresentation | None:
        return self.realm.tx.find(CLIENTS, self.realm.id, client_id=self.name(client))

    def taken(self, client: ClientRepresentation) -> str:
        return f"Client id '{client.client_id}' already exists"

    def remove(self, client: ClientRepresentation) -> None:
        found = self._found(client)
        if found is not None:
            delete_client(self.realm.tx, self.realm.id, found)

    def create(self, client: ClientRepresentation) -> str:
        mappers = [replace(mapper, id=UNSET) for mapper in given(client.protocol_mappers, [])]
        posted = replace(client, id=UNSET, protocol_mappers=mappers or UNSET)
        return str(import_client(self.realm.tx, self.realm.realm, posted, self.realm.fresh()).id)
