"""Owns what a partial import adds to a realm, one module a kind, and what happens to what is there already.

Refuses transactions and hashing: the caller has begun the one and done the other.
"""

from keyturn.admin.context import RealmAdmin
from keyturn.admin.partial_import.clients import Clients
from keyturn.admin.partial_import.groups import Groups
from keyturn.admin.partial_import.identity_providers import IdentityProviderMappers, IdentityProviders
from keyturn.admin.partial_import.kind import Imported, Importing, Sorted
from keyturn.admin.partial_import.roles import Roles
from keyturn.admin.partial_import.users import Users
from keyturn.representations import PartialImportRepresentation, given, present
from keyturn.representations.partial_import import Policy

__all__ = ["Imported", "import_partially"]


def import_partially(realm: RealmAdmin, sent: PartialImportRepresentation) -> list[Imported]:
    """Stores what is `sent`, users' passwords hashed, and says what became of each document.

    All kinds are looked at first; then, one after the other, what is overwritten goes and the documents come.

    Raises:
        AdminError: something is there already and the policy is ``FAIL``, or a document cannot be stored.

    Source: Keycloak ``PartialImportManager``, ``AbstractPartialImport``; asked of Keycloak.
    """
    fail: Policy = "FAIL"
    policy = given(sent.if_resource_exists if present(sent.if_resource_exists) else sent.policy, fail)
    kinds: tuple[Importing, ...] = (
        Sorted(Clients(realm), given(sent.clients, []), policy),
        Roles(realm, sent, policy),
        Sorted(IdentityProviders(realm), given(sent.identity_providers, []), policy),
        Sorted(IdentityProviderMappers(realm), given(sent.identity_provider_mappers, []), policy),
        Sorted(Groups(realm), given(sent.groups, []), policy),
        Sorted(Users(realm), given(sent.users, []), policy),
    )
    for kind in kinds:
        kind.look()
    return [imported for kind in kinds for imported in kind.store()]
