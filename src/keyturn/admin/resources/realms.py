"""The realms of the server. Source: Keycloak ``RealmsAdminResource``."""

from dataclasses import dataclass
from typing import Final

from keyturn.admin.admin_events import CREATE, write
from keyturn.admin.answers import Created
from keyturn.admin.context import ServerView
from keyturn.admin.errors import AdminError, ErrorMessage, Forbidden
from keyturn.admin.permissions import ANY_ROLE, DECIDED_WITHIN, VIEW_REALM
from keyturn.admin.query import Query
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.admin.realm_documents import brief_document, brief_realms, listed_document, whole_realms
from keyturn.admin.resource import Resource
from keyturn.representations.event import AdminEventRepresentation
from keyturn.representations.reading import UnreadableDocument
from keyturn.representations.realm import RealmRepresentation

__all__ = ["realms"]

realms: Final = Resource("realms")


@dataclass(frozen=True, slots=True)
class RealmsQuery(Query):
    """Whether only names are wanted."""

    brief_representation: bool = False


@realms.get("", needs=DECIDED_WITHIN)
def get_realms(server: ServerView, query: RealmsQuery) -> list[RealmRepresentation]:
    """The realms in which the caller may do anything at all."""
    brief = query.brief_representation
    document, read = (brief_document, brief_realms) if brief else (listed_document, whole_realms)
    found = []
    for realm in sorted(read(server.reader), key=lambda realm: str(realm.id)):
        rights = server.rights_in(realm)
        if rights.allows(VIEW_REALM) or rights.allows(ANY_ROLE):  # in this order it takes one look for most
            found.append(document(realm, rights))
    if not found:
        raise Forbidden
    return found


def _unreadable(_: UnreadableDocument) -> AdminError:
    return ErrorMessage(400, "unable to read contents from stream")


@realms.post("", needs=DECIDED_WITHIN, unreadable=_unreadable)
def post_realm(server: ServerView, realm: RealmRepresentation) -> Created:
    """Creates a realm, with everything that an import brings. Whoever made it may do everything in it."""
    if not server.holds_master_role("create-realm"):
        raise Forbidden
    fresh = server.fresh()
    environment = server.environment
    made = prepare_realm(realm, fresh=fresh, random=environment.random, features=environment.features)
    with server.environment.store.write() as tx:
        store_realm(tx, made, fresh=fresh, creator=server.administrator)
        if server.master.admin_events_enabled is True:
            name = made.realm.realm
            event = AdminEventRepresentation(operation_type=CREATE, resource_type="REALM", resource_path=name)
            write(server, tx, server.master, event, made.realm)
    return Created(str(made.realm.realm))
