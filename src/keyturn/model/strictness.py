"""Whether a realm refuses what it would otherwise only keep: its attribute ``keyturn.strict``."""

from typing import Final

from keyturn.representations import RealmRepresentation, given

STRICT: Final = "keyturn.strict"


def is_strict(realm: RealmRepresentation) -> bool:
    """Whether the realm's attribute says ``true``."""
    return given(realm.attributes, {}).get(STRICT) == "true"
