"""What the rest of keyturn sees of the store: collections of documents, relations between them, transactions.

A row is its key columns and the document itself (docs/adr/0003). All calls are synchronous; the edge makes them in a
worker thread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

from keyturn.representations import Part, Representation

D = TypeVar("D", bound=Representation)
P = TypeVar("P", bound=Part)


@dataclass(frozen=True, slots=True)
class Key(Generic[D]):
    """A column beside the document, that rows are found and ordered by.

    ``value`` reads it from the document. ``unique`` holds within the realm and the columns in ``within``.
    """

    name: str
    value: Callable[[D], str | None]
    unique: bool = False
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection(Generic[D]):
    """A kind of document. ``name`` is the table's and the change log's; each document has an ``id``."""

    name: str
    document: type[D]
    keys: tuple[Key[D], ...]


@dataclass(frozen=True, slots=True)
class Log(Generic[D]):
    """A kind of document that is only added, read and forgotten, and that no reader holds in memory.

    Its writes are not in the change log. ``name`` is the table's; each document has an ``id`` and a ``time`` in
    milliseconds, by which entries are read.
    """

    name: str
    document: type[D]
    keys: tuple[Key[D], ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """Which entries of a log, from `first` on: all conditions hold. Times are in milliseconds and inclusive."""

    any_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By key, the values of which one must be there."""
    like: Mapping[str, str] = field(default_factory=dict)
    """By key, an SQL pattern with ``\\`` as escape; it does regard case."""
    since: int | None = None
    until: int | None = None
    newest_first: bool = True
    first: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ClientUse:
    """How much a client has been used: `client` is its ``id``, `last` epoch seconds.

    `credential` is the name of what it has proved itself by, and `address` where it was when it did so last.
    """

    realm_id: str
    client: str
    tokens: int
    last: int
    credential: str = ""
    address: str = ""


class Relation(StrEnum):
    """A set of (source id, target id) pairs of one realm, by what the pair means."""

    COMPOSITE = "composite"  # role → role it contains
    USER_ROLE = "user_role"
    GROUP_ROLE = "group_role"
    MEMBERSHIP = "membership"  # user → group
    DEFAULT_GROUP = "default_group"  # realm → group
    REALM_DEFAULT_SCOPE = "realm_default_scope"  # realm → client scope
    REALM_OPTIONAL_SCOPE = "realm_optional_scope"
    CLIENT_DEFAULT_SCOPE = "client_default_scope"  # client → client scope
    CLIENT_OPTIONAL_SCOPE = "client_optional_scope"
    CLIENT_ROLE_SCOPE = "client_role_scope"  # client → role in its scope ("scope mappings")
    CLIENT_SCOPE_ROLE_SCOPE = "client_scope_role_scope"  # client scope → role in its scope


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the change log: ``kind`` names a collection or relation, ``id`` is the document's or the source."""

    revision: int
    realm_id: str
    kind: str
    id: str


EVERYTHING: Final = "everything"
"""The kind of a change of which nobody knows what it was: whatever is remembered may be no longer true."""


class StoreError(Exception):
    """The store cannot do what was asked."""


class Duplicate(StoreError):
    """A unique key is taken. ``key`` is its name."""

    def __init__(self, collection: str, key: str) -> None:
        super().__init__(f"{collection} with this {key} exists")
        self.collection = collection
        self.key = key


class Busy(StoreError):
    """The database is locked by somebody else for longer than the time-out."""


class Conflict(Busy):
    """Another transaction was in the way. Nothing was written, and the same may go well when it is begun anew."""


class Unavailable(StoreError):
    """The database cannot be read or written: disk full, read-only, gone."""


class InDoubt(Unavailable):
    """The connection broke after a commit was asked for and before it was answered: it was done, or it was not."""


class Reader(Protocol):
    """One consistent view of the store. `realm_id` is the id of the realm that owns the documents."""

    revision: int
    """The newest revision in this view."""

    def get(self, collection: Collection[D], realm_id: str, id: str) -> D | None: ...  # noqa: A002 - Keycloak's name
    def get_many(self, collection: Collection[D], realm_id: str, ids: Iterable[str]) -> list[D]:
        """The documents of `ids` that exist, in the order of `ids`."""
        ...

    def find(self, collection: Collection[D], realm_id: str | None, **keys: str) -> D | None:
        """The document whose key columns have these values; `realm_id` None looks in all realms."""
        ...

    def select(
        self,
        collection: Collection[D],
        realm_id: str | None,
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
        order_by: str | None = None,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[D]:
        """Documents by key columns: equal (`where`; None is SQL NULL) and alike (`like`, SQL patterns).

        Of each mapping in `any_like`, one pattern or more has to match: ``({"username": p, "email": p},)``.
        Patterns have ``\\`` as escape and do not regard case. `order_by` is a key (default: the order of creation).
        """
        ...

    def count(
        self,
        collection: Collection[D],
        realm_id: str | None,
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
    ) -> int: ...
    def keys_of(
        self,
        collection: Collection[D],
        realm_id: str,
        names: Sequence[str],
        ids: Iterable[str] | None = None,
        *,
        where: dict[str, str | None] | None = None,
    ) -> Sequence[tuple[str | None, ...]]:
        """The keys `names` (``id`` is one, too) of all documents in the order of creation, or of those of `ids` in any.

        No document is read: many cost little. `where` is as in ``select``.
        """
        ...

    def parts(
        self,
        collection: Collection[D],
        realm_id: str | None,
        part: type[P],
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
        order_by: str | None = None,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[P]:
        """As ``select``, but of each document only what `part` declares, at a part of the cost; secrets stay sealed."""
        ...

    def targets(self, relation: Relation, realm_id: str, source: str) -> list[str]:
        """Ids that `source` is related to, in the order in which they were linked."""
        ...

    def targets_of(self, relation: Relation, realm_id: str, sources: Iterable[str]) -> Mapping[str, list[str]]:
        """As ``targets`` for each of `sources` that is related to any, in few queries."""
        ...

    def sources(self, relation: Relation, realm_id: str, target: str) -> list[str]: ...
    def page_of_sources(
        self,
        collection: Collection[D],
        relation: Relation,
        realm_id: str,
        target: str,
        *,
        order_by: str,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[D]:
        """The documents of `collection` among the sources, by a key. A page of many reads no more than it needs."""
        ...

    def is_used(self, namespace: str, key: str, now: int) -> bool:
        """Whether `key` is marked as used in `namespace` past `now` (epoch seconds)."""
        ...

    def used(self, namespace: str, now: int) -> Sequence[tuple[str, int]]:
        """The keys that are marked as used in `namespace` past `now`, with the second until which they are."""
        ...

    def pairs(self, relation: Relation, realm_id: str) -> list[tuple[str, str]]:
        """All pairs of the realm, in the order in which they were linked."""
        ...

    def entries(self, log: Log[D], realm_id: str, wanted: Entries) -> Sequence[D]:
        """The entries of the realm's log, by time."""
        ...

    def uses(self, realm_id: str, clients: Iterable[str]) -> Sequence[ClientUse]:
        """What is known of the use of these clients (ids), by credential; nothing of those that were never used."""
        ...


class Transaction(Reader, Protocol):
    """Writes that happen together or not at all. Each write of a document or relation is in the change log."""

    def insert(self, collection: Collection[D], realm_id: str, document: D) -> None:
        """Raises Duplicate."""
        ...

    def insert_many(self, collection: Collection[D], realm_id: str, documents: Iterable[D]) -> None:
        """Inserts all or none, faster than one by one. Raises Duplicate."""
        ...

    def update(self, collection: Collection[D], realm_id: str, document: D) -> None:
        """Replaces the whole document of this id. Raises Duplicate; KeyError where there is none."""
        ...

    def delete(self, collection: Collection[D], realm_id: str, id: str) -> bool:  # noqa: A002
        """Removes the document and every relation that it is source or target of; False where there is none."""
        ...

    def delete_realm(self, realm_id: str) -> None:
        """Removes the realm and all that it owns, in every collection and relation."""
        ...

    def link(self, relation: Relation, realm_id: str, source: str, target: str) -> bool:
        """Adds the pair; False where it is there already."""
        ...

    def link_many(self, relation: Relation, realm_id: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Adds the pairs that are not there yet, faster than one by one."""
        ...

    def unlink(self, relation: Relation, realm_id: str, source: str, target: str) -> bool: ...
    def use_once(self, namespace: str, key: str, until: int) -> bool:
        """Marks `key` as used until `until` (epoch seconds); False where it is marked already."""
        ...

    def use_each_once(self, uses: Sequence[tuple[str, str, int]]) -> list[bool]:
        """As ``use_once`` for each namespace, key and second, in their order; faster than one by one."""
        ...

    def announce(self, kind: str, realm_id: str, id: str) -> None:  # noqa: A002
        """Puts an entry into the change log about what is no document and no relation; `kind` says what."""
        ...

    def append(self, log: Log[D], entries: Iterable[tuple[str, D]]) -> None:
        """Adds entries, each with the id of its realm. Raises Duplicate."""
        ...

    def forget(self, log: Log[D], realm_id: str, before: int | None = None, *, limit: int | None = None) -> int:
        """Removes entries of the realm, at most `limit`: those older than `before` (milliseconds), or any; how many."""
        ...

    def count_uses(self, uses: Iterable[ClientUse]) -> None:
        """Adds to what is known of the use of clients; those that are gone are left out."""
        ...

    def rename_use(self, realm_id: str, client: str, credential: str, to: str) -> None:
        """Has what is known of the use of a credential be that of the one named `to`, and nothing else be."""
        ...


class Store(Protocol):
    """A database of documents."""

    def read(self) -> AbstractContextManager[Reader]:
        """A view that does not change while it is open."""
        ...

    def write(self, *, shared: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction, begun at once; committed at the end of the block, rolled back by any exception.

        Transactions come one after the other, whoever writes. ``shared`` ones may go on beside others: they only mark
        keys as used, add to logs and count uses, and rest on nothing that they read (else: RuntimeError).

        After the commit, and before the block's end, every listener has been called with the transaction's changes.
        Raises Busy, Unavailable.
        """
        ...

    def subscribe(self, listener: Callable[[Sequence[Change]], None]) -> None:
        """Calls `listener` for each commit from now on, in the order of commits.

        For one of this process that is in the writer's thread before the `write` block ends, for one of another in
        ``catch_up``. Several commits may come together. A change of the kind ``EVERYTHING`` stands for what the change
        log no longer tells. A listener must not write.
        """
        ...

    def ask_others(self, kind: str) -> None:
        """Calls the listeners on other nodes, which may write, with a change of `kind` that changes nothing; waits."""
        ...

    def behind(self) -> bool:
        """Whether others have told of commits that no listener has heard of: then ``catch_up`` comes first. Quick."""
        ...

    def catch_up(self) -> None:
        """Tells the listeners of what other processes have committed. In worker threads. Raises StoreError."""
        ...

    def changes_since(self, revision: int) -> Sequence[Change] | None:
        """The entries after `revision`; None where the log no longer reaches back so far."""
        ...

    def agreed_time(self, now: float) -> float:
        """`now`, or what the clock that all nodes share says where that is earlier. Raises StoreError."""
        ...

    def prune(self, now: int) -> None:
        """Forgets what expired at `now` (epoch seconds) and what is too old in the change log. Raises StoreError."""
        ...

    def tell_times(self, timed: Callable[[str, float], None]) -> None:
        """Tells `timed` from now on of each ``read`` and ``write``, and the seconds that it took; in any thread."""
        ...

    def close(self) -> None: ...


__all__ = [
    "EVERYTHING",
    "Busy",
    "Change",
    "ClientUse",
    "Collection",
    "Conflict",
    "Duplicate",
    "Entries",
    "Key",
    "Log",
    "P",
    "Reader",
    "Relation",
    "Store",
    "StoreError",
    "Transaction",
    "Unavailable",
]
