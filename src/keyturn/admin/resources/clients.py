"""Clients. Source: Keycloak ``ClientsResource``, ``ClientResource``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.client_access import client_documents, require_manage
from keyturn.admin.client_changes import create_client, delete_client, update_client
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import AdminError, Conflict, DuplicateResource, OAuthError
from keyturn.admin.governance import governance_of, look_up_names
from keyturn.admin.paging import containing, page_of_those
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, QUERY_CLIENTS, VIEW_CLIENTS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, Maybe, Part, given, replace
from keyturn.representations.client import ClientRepresentation
from keyturn.store.collections import CLIENTS
from keyturn.store.spi import Duplicate

__all__ = ["client_resource", "clients"]

clients: Final = Resource("clients", event=Recorded("CLIENT", numbered=True))
client_resource: Final = Resource("client", located=("client",), event=Recorded("CLIENT"))

_SEARCHABLE: Final = frozenset(
    {
        "jwt.credential.issuer",
        "jwt.credential.sub",
        "saml.artifact.binding.identifier",
        "saml_idp_initiated_sso_url_name",
    }
)
"""Attributes that Keycloak lets clients be searched by unless it is told otherwise."""
_FIELD: Final = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^\s:"]+)):(?:"((?:[^"\\]|\\.)*)"|(\S+))')


@dataclass(frozen=True, slots=True)
class ClientQuery(Query):
    """``q`` searches by attributes; ``clientId`` is exact unless ``search`` says that a part will do."""

    client_id: str | None = None
    search: bool = False
    q: str | None = None
    first: int | None = None
    max: int | None = None
    viewable_only: bool = False


class _Attributes(Part):
    """What clients are searched by beside their ``clientId``."""

    id: str
    attributes: Maybe[dict[str, str]] = UNSET


@clients.get("", needs=QUERY_CLIENTS)
def get_clients(realm: RealmView, query: ClientQuery) -> list[ClientRepresentation]:
    """The realm's clients by ``clientId``; none for who may only query them."""
    found = _searched(realm, query)
    if not realm.may(VIEW_CLIENTS):
        return []
    return [replace(document, registered_nodes=UNSET) for document in client_documents(realm, found)]


def _searched(realm: RealmView, query: ClientQuery) -> list[ClientRepresentation]:
    if query.q is not None and (wanted := _fields(query.q)):
        refused = sorted(wanted.keys() - _SEARCHABLE)
        if refused:
            raise OAuthError(400, "invalid_request", f"Attributes [{', '.join(refused)}] not allowed for search")

        def read(start: int, count: int) -> Sequence[_Attributes]:
            return realm.reader.parts(CLIENTS, realm.id, _Attributes, order_by="client_id", first=start, limit=count)

        page = page_of_those(lambda c: wanted.items() <= given(c.attributes, {}).items(), read, query.first, query.max)
        return realm.reader.get_many(CLIENTS, realm.id, [client.id for client in page])
    if query.q is None and query.client_id and query.client_id.strip() and not query.search:
        client = realm.reader.find(CLIENTS, realm.id, client_id=query.client_id)
        return [] if client is None else [client]
    part = query.client_id.strip() if query.client_id and query.q is None else ""
    first, limit = max(query.first or 0, 0), query.max
    return list(
        realm.reader.select(
            CLIENTS,
            realm.id,
            like={"client_id": containing(part)} if part else None,
            order_by="client_id",
            first=first,
            limit=None if limit is None or limit < 0 else limit,
        )
    )


def _fields(q: str) -> dict[str, str]:
    """The ``key:value`` pairs of a query; either may be quoted (Keycloak ``SearchQueryUtils``)."""
    return {match[1] or match[2]: match[3] or match[4] for match in _FIELD.finditer(q)}


def _look_up_for_new(realm: RealmView, _: Mapping[str, Any], client: ClientRepresentation) -> ClientRepresentation:
    look_up_names(realm, lambda governance: governance.register(client))
    return client


def _look_up_for_change(
    realm: RealmView, values: Mapping[str, Any], change: ClientRepresentation
) -> ClientRepresentation:
    client: ClientRepresentation = values["client"]
    require_manage(realm, client)
    look_up_names(realm, lambda governance: governance.update(client, change))
    return change


@clients.post("", needs=MANAGE_CLIENTS, prepare=_look_up_for_new)
def post_client(realm: RealmAdmin, client: ClientRepresentation) -> Created:
    """Creates a client, with a secret and a service account as it asks for them."""
    governance = governance_of(realm)
    client = governance.register(client)
    try:
        created = create_client(realm.tx, realm.realm, client, realm.fresh())
    except Duplicate as error:
        raise _taken(error, client) from None
    _store_changed(realm, created, governance.registered(created))
    return Created(str(created.id))


def _store_changed(realm: RealmAdmin, client: ClientRepresentation, changed: ClientRepresentation) -> None:
    if changed is not client:
        realm.update(CLIENTS, changed)


def _taken(error: Duplicate, client: ClientRepresentation) -> AdminError:
    if error.key == "client_id" or error.collection != CLIENTS.name:
        return Conflict(f"Client {client.client_id} already exists")
    return DuplicateResource()


@client_resource.get("", needs=VIEW_CLIENTS)
def get_client(realm: RealmView, client: ClientRepresentation) -> ClientRepresentation:
    """The client."""
    governance_of(realm).view(client)
    return client_documents(realm, [client])[0]


@client_resource.put("", needs=DECIDED_WITHIN, prepare=_look_up_for_change)
def put_client(realm: RealmAdmin, client: ClientRepresentation, change: ClientRepresentation) -> NoContent:
    """Changes what the body gives: ``null`` is ignored, lists are replaced, attributes merge."""
    require_manage(realm, client)
    governance = governance_of(realm)
    change = governance.update(client, change)
    try:
        updated = update_client(realm.tx, realm.realm, client, change, realm.fresh())
    except Duplicate:
        raise DuplicateResource from None
    _store_changed(realm, updated, governance.updated(updated))
    return NoContent()


def _named(_realm: RealmView, values: Located, _body: Any) -> ClientRepresentation:
    client = values["client"]
    return ClientRepresentation(id=client.id, client_id=client.client_id)


@client_resource.delete("", needs=DECIDED_WITHIN, no_cache=True, event=Recorded("CLIENT", shows=_named))
def remove_client(realm: RealmAdmin, client: ClientRepresentation) -> NoContent:
    """Removes the client with its roles and its service account."""
    require_manage(realm, client)
    governance_of(realm).unregister(client)
    delete_client(realm.tx, realm.id, client)
    return NoContent()
