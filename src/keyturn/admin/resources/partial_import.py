"""Adding to a realm from one document. Source: Keycloak ``RealmAdminResource.partialImport``."""

from collections import Counter
from typing import Final

from keyturn.admin.admin_events import Located, write
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.imported_passwords import with_hashed_passwords
from keyturn.admin.partial_import import Imported, import_partially
from keyturn.admin.permissions import MANAGE_REALM
from keyturn.admin.resource import Resource
from keyturn.representations import PartialImportRepresentation, given, replace
from keyturn.representations.event import AdminEventRepresentation
from keyturn.representations.partial_import import PartialImportResult, PartialImportResults

__all__ = ["partial_import"]

partial_import: Final = Resource("partial import")

_OPERATIONS: Final = {"ADDED": "CREATE", "OVERWRITTEN": "UPDATE"}
_PATHS: Final = {
    "USER": "users",
    "GROUP": "groups",
    "CLIENT": "clients",
    "CLIENT_ROLE": "clients",
    "REALM_ROLE": "realms",
    "IDP": "identity-provider-settings",
    "IDP_MAPPER": "mappers",
}
"""What stands before the id in the events of an import."""


def _hashed(realm: RealmView, _: Located, sent: PartialImportRepresentation) -> PartialImportRepresentation:
    users = [with_hashed_passwords(user, realm.now_milliseconds()) for user in given(sent.users, [])]
    return replace(sent, users=users)


@partial_import.post(
    "partialImport", needs=MANAGE_REALM, prepare=_hashed, ignore_unknown=True, rights_first=True, event=None
)
def post_partial_import(realm: RealmAdmin, sent: PartialImportRepresentation) -> PartialImportResults:
    """Adds users, groups, clients and roles, all or none; what is there is refused, left or replaced."""
    imported = import_partially(realm, sent)
    for each in imported:
        _record(realm, each)
    counts = Counter(each.action for each in imported)
    return PartialImportResults(
        overwritten=counts["OVERWRITTEN"],
        added=counts["ADDED"],
        skipped=counts["SKIPPED"],
        results=[
            PartialImportResult(action=each.action, resource_type=each.type, resource_name=each.name, id=each.id)
            for each in imported
        ],
    )


def _record(realm: RealmAdmin, imported: Imported) -> None:
    if imported.action == "SKIPPED" or realm.realm.admin_events_enabled is not True:
        return
    event = AdminEventRepresentation(
        operation_type=_OPERATIONS[imported.action],
        resource_type="REALM",
        resource_path=f"{_PATHS[imported.type]}/{imported.id}",
    )
    write(realm, realm.tx, realm.realm, event, imported.document)
