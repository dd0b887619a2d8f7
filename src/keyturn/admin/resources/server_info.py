"""What the server is. Source: Keycloak ``ServerInfoAdminResource``."""

import os
import platform
from typing import Any, Final

from keyturn import KEYCLOAK_VERSION
from keyturn.admin.context import ServerView
from keyturn.admin.errors import Forbidden
from keyturn.admin.permissions import ANY_ROLE, DECIDED_WITHIN, MANAGE_REALM
from keyturn.admin.resource import Resource
from keyturn.admin.server_info import server_info_with
from keyturn.process import STARTED, resident_memory
from keyturn.representations.server_info import CpuInfoRepresentation, Running, memory_info, system_info

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
            running = _running(server.environment.clock())
            processors = CpuInfoRepresentation(processor_count=running.processors)
            return {
                "systemInfo": system_info(running),
                "cpuInfo": processors,
                "memoryInfo": memory_info(running),
                **info,
            }
        if not server.administers_any_realm():
            raise Forbidden
    elif own.allows(MANAGE_REALM):
        return {"systemInfo": {"version": KEYCLOAK_VERSION}, **info}
    elif not own.allows(ANY_ROLE):
        raise Forbidden
    return dict(info)


def _running(now: float) -> Running:
    return Running(
        now=now,
        started=STARTED,
        processors=os.cpu_count() or 1,
        memory_total=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        memory_used=resident_memory(),
        os_name=platform.system(),
        os_architecture=platform.machine(),
        os_version=platform.release(),
    )
