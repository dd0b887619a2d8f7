"""Authorization services, which are off. Source: Keycloak ``ClientResource.authorization``."""

from typing import Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotEnabled, NotFound
from keyturn.admin.permissions import DECIDED_WITHIN
from keyturn.admin.resource import Resource
from keyturn.representations import ClientRepresentation

__all__ = ["authorization"]

authorization: Final = Resource("authorization services", located=("client",))


def _refuse(client: ClientRepresentation) -> None:
    """501 where the client asks for them; any other client has no such thing, whether they are off or on."""
    raise NotEnabled if client.authorization_services_enabled is True else NotFound


@authorization.get("{below...}", needs=DECIDED_WITHIN)
def get_authorization(realm: RealmView, client: ClientRepresentation, below: str) -> None:
    """Anything of them: they are off."""
    _refuse(client)


@authorization.post("{below...}", needs=DECIDED_WITHIN, event=None)
def post_authorization(realm: RealmView, client: ClientRepresentation, below: str) -> None:
    """Adds nothing: they are off."""
    _refuse(client)


@authorization.put("{below...}", needs=DECIDED_WITHIN, event=None)
def put_authorization(realm: RealmView, client: ClientRepresentation, below: str) -> None:
    """Changes nothing: they are off."""
    _refuse(client)


@authorization.delete("{below...}", needs=DECIDED_WITHIN, event=None)
def delete_authorization(realm: RealmView, client: ClientRepresentation, below: str) -> None:
    """Deletes nothing: they are off."""
    _refuse(client)
