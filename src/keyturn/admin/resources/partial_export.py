"""A realm as one document, without what is secret. Source: Keycloak ``RealmAdminResource.partialExport``."""

from dataclasses import dataclass
from typing import Final

from keyturn.admin.answers import Content
from keyturn.admin.context import RealmView
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_REALM, QUERY_GROUPS, VIEW_CLIENTS
from keyturn.admin.query import Query
from keyturn.admin.realm_export import Exported, Users, exported_realm, without_secrets
from keyturn.admin.resource import JSON, Resource
from keyturn.representations import encode

__all__ = ["partial_export"]

partial_export: Final = Resource("partial export")


@dataclass(frozen=True, slots=True)
class PartialExportQuery(Query):
    """What the export has beside settings, client scopes and components. Clients bring their service accounts."""

    export_clients: bool = False
    export_groups_and_roles: bool = False


@partial_export.post("partial-export", needs=DECIDED_WITHIN, produces=JSON, event=None)
def post_partial_export(realm: RealmView, query: PartialExportQuery) -> Content:
    """The realm for an import elsewhere; secrets are masked, and people stay out."""
    realm.require(MANAGE_REALM)
    if query.export_groups_and_roles:
        realm.require(QUERY_GROUPS)
    if query.export_clients:
        realm.require(VIEW_CLIENTS)
    wanted = Exported(
        clients=query.export_clients,
        groups_and_roles=query.export_groups_and_roles,
        users=Users.SERVICE_ACCOUNTS if query.export_clients else Users.NONE,
        credentials=False,
    )
    return Content(encode(without_secrets(exported_realm(realm.reader, realm.realm, wanted))), JSON)
