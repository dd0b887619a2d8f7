"""What the admin console asks first. Source: Keycloak ``AdminConsole.whoAmI``."""

from typing import Any, Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, Unauthorized
from keyturn.admin.permissions import DECIDED_WITHIN
from keyturn.admin.resource import Resource

__all__ = ["console"]

console: Final = Resource("console")

_CONSOLE_CLIENT: Final = "security-admin-console"


@console.get("whoami", needs=DECIDED_WITHIN)
def who_am_i(realm: RealmView) -> dict[str, Any]:
    """Who the token is of; told to the console alone."""
    administrator = realm.administrator
    if administrator.realm_id != realm.id:
        raise Unauthorized("of another realm")
    if administrator.client.client_id != _CONSOLE_CLIENT:
        text = f"Token issued for an application that is not the admin console: {administrator.client.client_id}"
        raise Forbidden(text)
    return {
        "userId": administrator.user.id,
        "realm": realm.name,
        "displayName": administrator.user.username,
        "locale": "en",
        "createRealm": realm.holds_master_role("create-realm"),
    }
