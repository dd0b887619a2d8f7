"""The tokens that clients register with. Source: Keycloak ``ClientInitialAccessResource``, ``ClientResource``."""

from typing import Any, Final

from msgspec.structs import replace

from keyturn.admin.admin_events import ACTION, MASKED, Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.client_access import client_document, require_manage
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound, OAuthError
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given, present
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_initial_access import (
    ClientInitialAccessCreatePresentation,
    ClientInitialAccessPresentation,
)
from keyturn.store.collections import CLIENTS, INITIAL_ACCESS

__all__ = ["client_registration", "initial_access"]

initial_access: Final = Resource("clients initial access", event=Recorded("CLIENT_INITIAL_ACCESS_MODEL"))
client_registration: Final = Resource("client registration", located=("client",))


def _maker(realm: RealmAdmin) -> Any:
    from keyturn.admin.registration.tokens import Maker  # most servers never need it

    entry = realm.environment.registry.load_realm(realm.name)
    if entry is None:
        raise NotFound("Realm not found.")
    environment = realm.environment
    issuer = realm.base_url + entry.realm.path
    return Maker(realm.tx, entry.realm, issuer, environment.clock(), environment.new_id, environment.random)


@initial_access.post("", needs=MANAGE_CLIENTS)
def create_initial_access(realm: RealmAdmin, access: ClientInitialAccessCreatePresentation) -> Created:
    """Makes an initial access token, with which so many clients may be registered; it is told only now."""
    expiration, count = given(access.expiration, 0), given(access.count, 1)
    if expiration < 0:
        text = "The expiration time interval cannot be less than 0"
        raise OAuthError(400, "Invalid value for expiration", text)
    if count < 0:
        raise OAuthError(400, "Invalid value for count", "The count cannot be less than 0")
    made = ClientInitialAccessPresentation(
        id=realm.new_id(), timestamp=realm.now(), expiration=expiration, count=count, remaining_count=count
    )
    realm.insert(INITIAL_ACCESS, made)
    origins = given(access.web_origins, []) if present(access.web_origins) else None
    return Created(given(made.id, ""), document=replace(made, token=_maker(realm).initial(made, origins)))


@initial_access.get("", needs=VIEW_CLIENTS, no_cache=False)
def get_initial_access(realm: RealmView) -> list[ClientInitialAccessPresentation]:
    """What may still be registered with initial access tokens; the tokens themselves are not kept."""
    return list(realm.reader.select(INITIAL_ACCESS, realm.id))


@initial_access.delete("{initial_access_id}", needs=MANAGE_CLIENTS)
def delete_initial_access(realm: RealmAdmin, initial_access_id: str) -> NoContent:
    """Ends an initial access token; no error where there is none."""
    realm.tx.delete(INITIAL_ACCESS, realm.id, initial_access_id)
    return NoContent()


def _with_token(realm: RealmView, values: Located, _body: Any) -> ClientRepresentation:
    document = client_document(realm, values["client"])
    return replace(document, registration_access_token=MASKED, access=UNSET)


@client_registration.post(
    "registration-access-token", needs=DECIDED_WITHIN, event=Recorded("CLIENT", ACTION, _with_token)
)
def regenerate_registration_access_token(realm: RealmAdmin, client: ClientRepresentation) -> ClientRepresentation:
    """Gives the client a fresh registration access token; the one before ends at once."""
    from keyturn.admin.registration.tokens import RegistrationAuth, with_new_token

    require_manage(realm, client)
    changed, token = with_new_token(client, RegistrationAuth.AUTHENTICATED, None, _maker(realm))
    realm.update(CLIENTS, changed)
    secret = MASKED if isinstance(client.secret, str) else client.secret
    return replace(client_document(realm, changed), registration_access_token=token, secret=secret, access=UNSET)
