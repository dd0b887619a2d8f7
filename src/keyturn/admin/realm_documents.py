"""A realm as administrators see it: whole, or what little their rights show.

Source: Keycloak ``RealmAdminResource.getRealm``, ``RealmsAdminResource.getRealms``; the matrix in
docs/compatibility.md.
"""

from typing import Final

from msgspec.structs import replace

from keyturn.admin.permissions import VIEW_REALM, VIEW_USERS, Rights
from keyturn.model.new_realm_document import SHOWN_IN_EXPORTS
from keyturn.representations import UNSET, Maybe, Part, given
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import REALMS
from keyturn.store.spi import Reader

__all__ = [
    "MASK",
    "brief_document",
    "brief_realms",
    "listed_document",
    "realm_document",
    "whole_document",
    "whole_realms",
]

MASK: Final = "**********"
"""What a secret of the realm shows as."""
_SHOWN_TO_ALL: Final = (
    "realm",
    "display_name",
    "display_name_html",
    "brute_force_protected",
    "supported_locales",
    "organizations_enabled",
)


class BriefRealm(Part):
    """What the brief list tells of a realm."""

    id: str
    realm: str
    display_name: Maybe[str] = UNSET
    display_name_html: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET


def brief_realms(reader: Reader) -> list[RealmRepresentation]:
    """All realms, of each what the brief list tells."""
    return [
        RealmRepresentation(
            id=realm.id,
            realm=realm.realm,
            display_name=realm.display_name,
            display_name_html=realm.display_name_html,
            enabled=realm.enabled,
        )
        for realm in reader.parts(REALMS, None, BriefRealm)
    ]


def whole_realms(reader: Reader) -> list[RealmRepresentation]:
    """All realms."""
    return list(reader.select(REALMS, None))


def realm_document(realm: RealmRepresentation, rights: Rights) -> RealmRepresentation:
    """The realm as who has `rights` sees it."""
    if rights.allows(VIEW_REALM):
        return whole_document(realm)
    shown = {name: getattr(realm, name) for name in _SHOWN_TO_ALL}
    shown["supported_locales"] = sorted(given(realm.supported_locales, []))
    shown["brute_force_protected"] = given(realm.brute_force_protected, False)
    if rights.allows(VIEW_USERS):
        shown["registration_email_as_username"] = given(realm.registration_email_as_username, False)
    return RealmRepresentation(**shown)


def whole_document(realm: RealmRepresentation) -> RealmRepresentation:
    """All of the realm but what only exports hold, secrets masked."""
    hidden = dict.fromkeys(SHOWN_IN_EXPORTS, UNSET)
    smtp = given(realm.smtp_server, {})
    masked = {name: MASK if name in {"password", "authTokenClientSecret"} else smtp[name] for name in smtp}
    return replace(realm, **hidden, smtp_server=masked)


def brief_document(realm: RealmRepresentation, rights: Rights) -> RealmRepresentation:
    """The realm in the brief list: names only."""
    if not rights.allows(VIEW_REALM):
        return RealmRepresentation(realm=realm.realm)
    return RealmRepresentation(
        id=realm.id,
        realm=realm.realm,
        display_name=realm.display_name,
        display_name_html=realm.display_name_html,
        enabled=realm.enabled,
    )


def listed_document(realm: RealmRepresentation, rights: Rights) -> RealmRepresentation:
    """The realm in the full list: whole, or its name."""
    return whole_document(realm) if rights.allows(VIEW_REALM) else RealmRepresentation(realm=realm.realm)
