"""The credentials of a client, each by its name, and those of all clients; keyturn's own, Keycloak has neither."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.client_access import require_manage
from keyturn.admin.client_credentials import add, change, credentials_of, find, remove, shown
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.governance import look_up_names
from keyturn.admin.permissions import MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, Maybe, Part, given, replace
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.store.collections import CLIENTS
from keyturn.store.spi import ClientUse

__all__ = ["client_credentials", "realm_credentials"]

client_credentials: Final = Resource("client credentials", located=("client",), event=Recorded("CLIENT"))
realm_credentials: Final = Resource("realm credentials")

_USUAL_PAGE: Final = 100
_AT_ONCE: Final = 500
"""Clients that are read at a time."""


@client_credentials.get("", needs=VIEW_CLIENTS)
def get_credentials(realm: RealmView, client: ClientRepresentation) -> list[ClientCredentialRepresentation]:
    """The client's credentials, without their secrets: the one that Keycloak knows first."""
    return shown(credentials_of(realm, client), realm.reader.uses(realm.id, [str(client.id)]))


def _look_up(
    realm: RealmView, values: Mapping[str, Any], credential: ClientCredentialRepresentation
) -> ClientCredentialRepresentation:
    require_manage(realm, values["client"])
    look_up_names(realm, lambda governance: governance.updated(values["client"]))
    return credential


@client_credentials.post("", needs=MANAGE_CLIENTS, prepare=_look_up)
def add_credential(
    realm: RealmAdmin, client: ClientRepresentation, credential: ClientCredentialRepresentation
) -> Created:
    """Adds a credential; its secret is told only now. One that it replaces counts on for the overlap."""
    require_manage(realm, client)
    made = add(realm, client, credential)
    return Created(given(made.name, ""), document=made)


@client_credentials.get("{credential_name}", needs=VIEW_CLIENTS)
def get_credential(
    realm: RealmView, client: ClientRepresentation, credential_name: str
) -> ClientCredentialRepresentation:
    """A credential, without its secret."""
    held = find(realm, client, credential_name)
    return shown([held], realm.reader.uses(realm.id, [str(client.id)]))[0]


@client_credentials.put("{credential_name}", needs=MANAGE_CLIENTS)
def put_credential(
    realm: RealmAdmin,
    client: ClientRepresentation,
    credential_name: str,
    credential: ClientCredentialRepresentation,
) -> NoContent:
    """Changes when a credential ends, and the claims of a rule."""
    require_manage(realm, client)
    change(realm, client, credential_name, credential)
    return NoContent()


@client_credentials.delete("{credential_name}", needs=MANAGE_CLIENTS)
def delete_credential(realm: RealmAdmin, client: ClientRepresentation, credential_name: str) -> NoContent:
    """Ends a credential at once."""
    require_manage(realm, client)
    remove(realm, client, credential_name)
    return NoContent()


class _Part(Part):
    """What of a client its credentials are told by; what is secret in it is sealed."""

    id: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
    client_authenticator_type: Maybe[str] = UNSET
    public_client: Maybe[bool] = UNSET
    bearer_only: Maybe[bool] = UNSET
    attributes: Maybe[dict[str, str]] = UNSET

    def client(self) -> ClientRepresentation:
        """The client, as far as it is told."""
        return ClientRepresentation(**{name: getattr(self, name) for name in self.__struct_fields__})


@dataclass(frozen=True, slots=True)
class CredentialQuery(Query):
    """Which credentials: all conditions hold. Times are in epoch seconds."""

    expires_before: int | None = None
    unused_since: int | None = None
    never_used: bool = False
    type: str | None = None
    first: int | None = None
    max: int | None = None

    def means(self, credential: ClientCredentialRepresentation) -> bool:
        """Whether it is one of those that are asked for."""
        expires, last = given(credential.expires, 0), given(credential.last_used, 0)
        if self.expires_before is not None and not 0 < expires < self.expires_before:
            return False
        if self.unused_since is not None and max(last, given(credential.created, 0)) >= self.unused_since:
            return False
        return not (self.never_used and last) and self.type in (None, credential.type)


@realm_credentials.get("credentials", needs=VIEW_CLIENTS)
def get_realm_credentials(realm: RealmView, query: CredentialQuery) -> list[ClientCredentialRepresentation]:
    """The credentials of all clients by ``clientId``, or those that expire soon, or that nobody uses; a page of 100."""
    first, most = max(query.first or 0, 0), _USUAL_PAGE if query.max is None else query.max
    found = (each for each in _credentials(realm) if query.means(each))
    return list(islice(found, first, None if most < 0 else first + most))


def _credentials(realm: RealmView) -> Iterator[ClientCredentialRepresentation]:
    place = 0
    while parts := realm.reader.parts(CLIENTS, realm.id, _Part, order_by="client_id", first=place, limit=_AT_ONCE):
        place += len(parts)
        uses: dict[str, list[ClientUse]] = {}
        for use in realm.reader.uses(realm.id, [str(part.id) for part in parts]):
            uses.setdefault(use.client, []).append(use)
        for part in parts:
            held = credentials_of(realm, part.client(), sealed=True)
            for each in shown(held, uses.get(str(part.id), ())):
                yield replace(each, client=part.id, client_id=part.client_id)
