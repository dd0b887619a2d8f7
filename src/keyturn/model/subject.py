"""Whom a token speaks of: a person, or the service account of a client."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A user with the roles held, directly and through groups, closed over composites."""

    id: str
    username: str
    enabled: bool
    email: str | None
    email_verified: bool
    first_name: str | None
    last_name: str | None
    attributes: Mapping[str, tuple[str, ...]]
    groups: tuple[str, ...]
    """Paths of the groups, as ``/team/inner``."""
    roles: frozenset[str]
    """Ids of the roles."""
    not_before: int
    required_actions: tuple[str, ...] = ()
    service_account_client_id: str | None = None
    """The ``id`` of the client that this user stands for."""
    group_attributes: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    """Attributes of the groups and of the groups above them, the nearest first."""
