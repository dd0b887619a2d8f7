"""What the kinds of a partial import have in common: what is there is refused, left as it is, or replaced."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from keyturn.admin.errors import AdminError, Conflict
from keyturn.representations import Representation
from keyturn.representations.partial_import import Policy, ResourceType
from keyturn.store.spi import Duplicate

__all__ = ["Imported", "Importing", "Kind", "Sorted", "duplicate_resource"]

D = TypeVar("D", bound=Representation)
K_contra = TypeVar("K_contra", bound=Representation, contravariant=True)


def duplicate_resource() -> AdminError:
    """What the wire says where a name or id is taken by what was not looked for."""
    return Conflict("Duplicate resource error")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a document; `id` is that of what is stored."""

    action: Literal["ADDED", "SKIPPED", "OVERWRITTEN"]
    type: ResourceType
    name: str
    id: str
    document: Representation


class Importing(Protocol):
    """The documents of one kind on their way into a realm."""

    def look(self) -> None:
        """Finds out what is there already. Raises AdminError where it must not be."""
        ...

    def store(self) -> Iterable[Imported]:
        """Removes what is replaced, and stores what is not left as it is. Raises AdminError."""
        ...


class Kind(Protocol[K_contra]):
    """How documents of one kind are found, removed and stored."""

    @property
    def type(self) -> ResourceType:
        """What the result calls the kind."""
        ...

    def takes(self, document: K_contra) -> bool:
        """Whether it is one that is imported at all."""
        ...

    def name(self, document: K_contra) -> str:
        """What the document is called in the result. Raises AdminError where it has no name."""
        ...

    def find(self, document: K_contra) -> str | None:
        """The id of what has its name."""
        ...

    def taken(self, document: K_contra) -> str:
        """What the wire says of a name that is taken."""
        ...

    def remove(self, document: K_contra) -> None:
        """Removes what has its name, if it is there still."""
        ...

    def create(self, document: K_contra) -> str:
        """Stores it; its id. Raises AdminError, Duplicate."""
        ...


@dataclass(slots=True)
class Sorted(Generic[D]):
    """The documents of one `kind`, sorted by what happens to them."""

    kind: Kind[D]
    documents: list[D]
    policy: Policy
    _there: list[D] = field(default_factory=list)
    _absent: list[D] = field(default_factory=list)

    def look(self) -> None:
        """See `Importing`."""
        for document in filter(self.kind.takes, self.documents):
            self.kind.name(document)
            if self.kind.find(document) is None:
                self._absent.append(document)
            elif self.policy == "FAIL":
                raise Conflict(self.kind.taken(document))
            else:
                self._there.append(document)

    def store(self) -> Iterator[Imported]:
        """See `Importing`."""
        if self.policy == "OVERWRITE":
            for document in self._there:
                self.kind.remove(document)
            for document in self._there:
                yield self._imported("OVERWRITTEN", document, self._created(document))
        else:
            for document in self._there:
                yield self._imported("SKIPPED", document, self.kind.find(document) or "")
        for document in self._absent:
            yield self._imported("ADDED", document, self._created(document))

    def _created(self, document: D) -> str:
        try:
            return self.kind.create(document)
        except Duplicate:
            raise duplicate_resource() from None

    def _imported(self, action: Literal["ADDED", "SKIPPED", "OVERWRITTEN"], document: D, found: str) -> Imported:
        return Imported(action, self.kind.type, self.kind.name(document), found, document)
