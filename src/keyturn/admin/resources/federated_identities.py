"""Links of users to identity providers: kept, as nobody is logged in by one. Source: Keycloak ``UserResource``."""

from typing import Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import Conflict, NotFound
from keyturn.admin.identity_providers import links_of
from keyturn.admin.permissions import MANAGE_USERS, VIEW_USERS
from keyturn.admin.resource import Resource
from keyturn.representations import given, replace
from keyturn.representations.user import FederatedIdentityRepresentation, UserRepresentation
from keyturn.store.collections import USERS

__all__ = ["federated_identities"]

federated_identities: Final = Resource("federated identities", event=Recorded("USER"), located=("user",))


@federated_identities.get("federated-identity", needs=VIEW_USERS)
def get_federated_identities(realm: RealmView, user: UserRepresentation) -> list[FederatedIdentityRepresentation]:
    """The links to providers that the realm has."""
    return links_of(realm, user)


@federated_identities.post("federated-identity/{provider}", needs=MANAGE_USERS)
def post_federated_identity(
    realm: RealmAdmin, user: UserRepresentation, provider: str, identity: FederatedIdentityRepresentation
) -> NoContent:
    """Links the user to a provider, whose name the path says."""
    links = given(user.federated_identities, [])
    if any(link.identity_provider == provider for link in links):
        raise Conflict("User is already linked with provider")
    link = replace(identity, identity_provider=provider)
    realm.update(USERS, replace(user, federated_identities=[*links, link]))
    return NoContent()


@federated_identities.delete("federated-identity/{provider}", needs=MANAGE_USERS)
def delete_federated_identity(realm: RealmAdmin, user: UserRepresentation, provider: str) -> NoContent:
    """Removes the link."""
    links = given(user.federated_identities, [])
    others = [link for link in links if link.identity_provider != provider]
    if len(others) == len(links):
        raise NotFound("Link not found")
    realm.update(USERS, replace(user, federated_identities=others))
    return NoContent()
