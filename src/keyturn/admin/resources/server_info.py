"""What the server is. Source: Keycloak ``ServerInfoAdminResource``."""

import os
import platform
import sys
from typing import Any, Final

from keyturn import KEYCLOAK_VERSION
from keyturn.admin.context import ServerView
from keyturn.admin.errors import Forbidden
from keyturn.admin.permissions import ANY_ROLE, DECIDED_WITHIN, MANAGE_REALM
from keyturn.admin.resource import Resource
from keyturn.admin.server_info import server_info_with

__all__ = ["server_info_resource"]

server_info_resource: Final = Resource("serverinfo")


@server_info_resource.get("", needs=DECIDED_WITHIN)
def get_server_info(server: ServerView) -> dict[str, Any]:
    """Features, providers and mapper types; the version for who may manage the realm of the token.

    The version is Keycloak's: clients decide by it what they may ask for.
    """
    info = server_info_with(server.environment.features)
    own = server.rights_in(server.administrator.realm)
    if server.administrator.realm_id == server.master.id:
        if server.holds_master_role("admin"):
            return {"systemInfo": _system(), "cpuInfo": {"processorCount": os.cpu_count()}, **info}
        if not server.administers_any_realm():
            raise Forbidden
    elif own.allows(MANAGE_REALM):
        return {"systemInfo": {"version": KEYCLOAK_VERSION}, **info}
    elif not own.allows(ANY_ROLE):
        raise Forbidden
    return dict(info)


def _system() -> dict[str, Any]:
    return {
        "version": KEYCLOAK_VERSION,
        "javaVersion": "",
        "osName": platform.system(),
        "osArchitecture": platform.machine(),
        "osVersion": platform.release(),
        "fileEncoding": sys.getfilesystemencoding().upper(),
    }
