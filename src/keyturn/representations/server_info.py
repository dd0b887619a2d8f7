"""What ``GET /admin/serverinfo`` tells of the running server."""

import time
from dataclasses import dataclass
from typing import Annotated, Final

from keyturn import KEYCLOAK_VERSION
from keyturn.representations.base import UNSET, Long, Maybe, Representation, kept

__all__ = [
    "CpuInfoRepresentation",
    "MemoryInfoRepresentation",
    "Running",
    "SystemInfoRepresentation",
    "memory_info",
    "system_info",
]

_JAVA: Final = kept("a Java virtual machine")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SystemInfoRepresentation(Representation):
    """The running server. What is about Java has no meaning here and is left out."""

    version: Maybe[str] = UNSET
    server_time: Maybe[str] = UNSET
    uptime: Maybe[str] = UNSET
    uptime_millis: Maybe[Long] = UNSET
    java_version: Annotated[Maybe[str], _JAVA] = UNSET
    java_vendor: Annotated[Maybe[str], _JAVA] = UNSET
    java_vm: Annotated[Maybe[str], _JAVA] = UNSET
    java_vm_version: Annotated[Maybe[str], _JAVA] = UNSET
    java_runtime: Annotated[Maybe[str], _JAVA] = UNSET
    java_home: Annotated[Maybe[str], _JAVA] = UNSET
    os_name: Maybe[str] = UNSET
    os_architecture: Maybe[str] = UNSET
    os_version: Maybe[str] = UNSET
    file_encoding: Maybe[str] = UNSET
    user_name: Maybe[str] = UNSET
    user_dir: Maybe[str] = UNSET
    user_timezone: Maybe[str] = UNSET
    user_locale: Maybe[str] = UNSET


class CpuInfoRepresentation(Representation):
    """The processors that the server may use."""

    processor_count: Maybe[Long] = UNSET


class MemoryInfoRepresentation(Representation):
    """Memory, in bytes and as people read it. "Formated" is Keycloak's spelling."""

    total: Maybe[Long] = UNSET
    total_formated: Maybe[str] = UNSET
    used: Maybe[Long] = UNSET
    used_formated: Maybe[str] = UNSET
    free: Maybe[Long] = UNSET
    free_percentage: Maybe[Long] = UNSET
    free_formated: Maybe[str] = UNSET


@dataclass(frozen=True, slots=True)
class Running:
    """How the server runs. Times are in epoch seconds, memory in bytes."""

    now: float
    started: float
    processors: int
    memory_total: int
    memory_used: int
    os_name: str
    os_architecture: str
    os_version: str


def system_info(running: Running) -> SystemInfoRepresentation:
    """The server. Source: Keycloak ``ServerInfoAdminResource.getInfo``."""
    at, seconds = time.gmtime(running.now), int(running.now - running.started)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    return SystemInfoRepresentation(
        version=KEYCLOAK_VERSION,
        server_time=f"{_DAYS[at.tm_wday]} {_MONTHS[at.tm_mon - 1]} {at.tm_mday:02} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} UTC {at.tm_year}",
        uptime=f"{days} days, {hours % 24} hours, {minutes % 60} minutes, {seconds % 60} seconds",
        uptime_millis=int((running.now - running.started) * 1000),
        os_name=running.os_name,
        os_architecture=running.os_architecture,
        os_version=running.os_version,
        file_encoding="UTF-8",
        user_timezone="UTC",
        user_locale="en",
    )


def memory_info(running: Running) -> MemoryInfoRepresentation:
    """Its memory, and the machine's."""
    free = running.memory_total - running.memory_used
    return MemoryInfoRepresentation(
        total=running.memory_total,
        total_formated=_formatted(running.memory_total),
        used=running.memory_used,
        used_formated=_formatted(running.memory_used),
        free=free,
        free_percentage=free * 100 // running.memory_total if running.memory_total else 0,
        free_formated=_formatted(free),
    )


def _formatted(size: int) -> str:
    if size > 1024 * 1024:
        return f"{size // (1024 * 1024)} MB"
    return f"{size // 1024} kB" if size > 1024 else f"{size} B"
