"""The roles of a realm and what contains what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_MOST_CLOSURES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Role:
    """A role; ``client_id`` is the ``id`` of the client that owns it, None for a realm role."""

    id: str
    name: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class RoleGraph:
    """All roles of a realm by id, and the roles that each composite contains."""

    roles: Mapping[str, Role]
    composites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_client: Mapping[str, tuple[str, ...]] = field(init=False)
    """The ids of the roles that each client owns."""
    _closures: dict[frozenset[str], frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Most clients hold the same roles: there is one set for them all."""

    def __post_init__(self) -> None:
        owned: dict[str, list[str]] = {}
        for role in self.roles.values():
            if role.client_id is not None:
                owned.setdefault(role.client_id, []).append(role.id)
        object.__setattr__(self, "by_client", {client_id: tuple(ids) for client_id, ids in owned.items()})

    def closure(self, ids: Iterable[str]) -> frozenset[str]:
        """`ids` and every role that they contain, at any depth; a cycle ends where it began."""
        found: set[str] = set()
        waiting = [role_id for role_id in ids if role_id in self.roles]
        while waiting:
            role_id = waiting.pop()
            if role_id not in found:
                found.add(role_id)
                waiting.extend(self.composites.get(role_id, ()))
        closed = frozenset(found & self.roles.keys())
        if len(self._closures) >= _MOST_CLOSURES:
            self._closures.clear()
        return self._closures.setdefault(closed, closed)
