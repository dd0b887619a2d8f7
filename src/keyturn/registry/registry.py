"""The registry: compiled realms and clients in memory, loaded on first use, dropped when the change log says so.

Readers take no lock: they look into dictionaries that are only ever replaced entry by entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from keyturn.model.client import Client
from keyturn.model.client_secret import ROTATION
from keyturn.model.realm import Realm
from keyturn.oauth2.failures import Failures
from keyturn.oauth2.spi import CheckToken, Miss, Rests, TokenChecked
from keyturn.registry.compile import compile_client, compile_realm
from keyturn.registry.revoked import REVOKED_TOKEN, RevokedTokens
from keyturn.store.collections import CLIENTS, READ_EACH_TIME, REALMS, USERS
from keyturn.store.spi import EVERYTHING, Change, Reader, Relation, Store, StoreError

MAXIMUM_CLIENTS: Final = 20_000
"""Compiled clients of one realm that stay in memory. Past it the one that was compiled first goes."""

MAXIMUM_UNKNOWN: Final = 10_000
"""Client ids and realm names that are known not to exist. Whoever asks for random ones must not fill the memory."""

MAXIMUM_UNKNOWN_SIZE: Final = 1_000_000
"""Characters of all of them: one may be as long as a request."""

_OF_ONE_CLIENT: Final = frozenset(
    {
        CLIENTS.name,
        Relation.CLIENT_DEFAULT_SCOPE,
        Relation.CLIENT_OPTIONAL_SCOPE,
        Relation.CLIENT_ROLE_SCOPE,
    }
)
"""Kinds of change that concern the one client whose ``id`` they name."""

_OF_ONE_USER: Final = frozenset({USERS.name, Relation.USER_ROLE, Relation.MEMBERSHIP})


class _Unknown:
    """Names that are known not to exist, within bounds: past them all are forgotten."""

    __slots__ = ("_names", "_size")

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._size = 0

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str) -> None:
        if len(self._names) >= MAXIMUM_UNKNOWN or self._size >= MAXIMUM_UNKNOWN_SIZE:
            self.clear()
        self._names.add(name)
        self._size += len(name)

    def clear(self) -> None:
        self._names.clear()
        self._size = 0


class RealmEntry:
    """One realm in memory: what its clients share, and those clients that have been asked for.

    It is the protocol's ``Clients``.
    """

    __slots__ = (
        "__weakref__",
        "_by_id",
        "_by_user",
        "_clients",
        "_revoked",
        "_unknown",
        "_without_account",
        "failures",
        "realm",
        "repeated",
    )

    replies: None = None
    """Memory has nobody to ask: the edge has (``http.inquiries``)."""
    proved: None = None

    def __init__(self, realm: Realm, failures: Failures, revoked: RevokedTokens) -> None:
        self.realm = realm
        self.failures = failures
        self.repeated: dict[Any, Any] = {}
        """What the edge remembers of requests, for as long as this is what there is of the realm."""
        self._revoked = revoked
        self._clients: dict[str, Client] = {}
        self._unknown = _Unknown()
        self._by_id: dict[str, str] = {}
        self._by_user: dict[str, str] = {}
        self._without_account: set[str] = set()

    @property
    def size(self) -> int:
        """How many clients there are in memory."""
        return len(self._clients)

    def by_client_id(self, client_id: str) -> Client | None:
        """The client, None where there is none. Raises Miss where that is not known yet."""
        client = self._clients.get(client_id)
        if client is not None:
            return client
        if client_id in self._unknown:
            return None
        raise Miss(client_id)

    def known_of(self, question: CheckToken) -> TokenChecked | None:
        """What is in memory about a token: only of one that stands on no session and no other user."""
        if question.session_id is not None or question.user_id is not None:
            return None
        revoked = self._revoked.tells(self.realm.id, question.token_id)
        return None if revoked is None else TokenChecked(revoked)

    def holds(self, client: Client) -> bool:
        """Whether `client` is what there is in memory under its id."""
        return self._clients.get(client.client_id) is client

    def keep(self, client_id: str, client: Client | None) -> None:
        """Remembers the client, or that there is none, within bounds."""
        if client is None:
            self._unknown.add(client_id)
            return
        if len(self._clients) >= MAXIMUM_CLIENTS:
            self._remove(next(iter(self._clients)))
        client_id = client.client_id  # the text that is kept anyway
        self._clients[client_id] = client
        self._by_id[client.id] = client_id
        if client.service_account is None:
            self._without_account.add(client_id)
        else:
            self._by_user[client.service_account.id] = client_id

    def forget(self, client_uuid: str) -> None:
        """Drops the client of this ``id``, and what is known not to exist: it may be there now."""
        self._unknown.clear()
        client_id = self._by_id.get(client_uuid)
        if client_id is not None:
            self._remove(client_id)

    def forget_user(self, user_id: str) -> None:
        """Drops the client that this user stands for, and those that it may stand for now."""
        client_id = self._by_user.get(user_id)
        for dropped in (*self._without_account, *(() if client_id is None else (client_id,))):
            self._remove(dropped)

    def _remove(self, client_id: str) -> None:
        client = self._clients.pop(client_id, None)
        self._without_account.discard(client_id)
        if client is not None:
            self._by_id.pop(client.id, None)
            if client.service_account is not None:
                self._by_user.pop(client.service_account.id, None)


@dataclass(slots=True)
class Held:
    """How many realms and clients."""

    realms: int = 0
    clients: int = 0


class Registry:
    """Compiled realms by name. Subscribes to the store; ``realm`` and ``by_client_id`` read memory only."""

    def __init__(
        self, store: Store, *, features: frozenset[str] = frozenset(), failures: Failures | None = None
    ) -> None:
        self._store = store
        self.features: Final = features
        """Keycloak's names of its previews that are on."""
        self._realms: dict[str, RealmEntry] = {}
        self._failures = failures or Failures(Lock())
        self._unknown = _Unknown()
        self._names: dict[str, str] = {}
        self._lock = Lock()
        self._compiling = Lock()
        self.revoked: Final = RevokedTokens()
        self._applied = 0
        """The newest revision that this registry has dropped entries for."""
        self._is_behind = store.behind
        self.loaded: Final = Held()
        """What had to be read from the store so far."""
        store.subscribe(self._follow)

    def realm(self, name: str) -> RealmEntry | None:
        """The realm, None where there is none. Raises KeyError where that is not known yet: call ``load_realm``.

        Nor is it known while other processes have written what this one has yet to read.
        """
        if self._is_behind():
            raise KeyError(name)
        entry = self._realms.get(name)
        if entry is None and name not in self._unknown:
            raise KeyError(name)
        return entry

    def still_has(self, entry: RealmEntry, rests: Rests, now: float) -> bool:
        """Whether all that an answer `rests` on in the realm of `entry` is as it was."""
        if not self.still_holds(entry, *rests.clients) or now >= rests.until:
            return False
        return rests.token_id is None or self.revoked.tells(entry.realm.id, rests.token_id) is False

    def still_holds(self, entry: RealmEntry, *clients: Client) -> bool:
        """Whether `entry` is what there is of the realm in memory, and each of `clients` what there is in it."""
        if self._is_behind() or self._realms.get(entry.realm.name) is not entry:
            return False
        return all(map(entry.holds, clients))

    def load_realm(self, name: str) -> RealmEntry | None:
        """The realm, from memory or the store. May block: for worker threads. Raises StoreError."""
        while True:
            if self._is_behind():
                self._store.catch_up()
            # One thread compiles a realm; the others find it in memory when they come in.
            with self._compiling:
                known = self._realms.get(name)
                if known is not None:
                    return known
                loaded, entry = self._read_realm(name)
            if loaded:
                return entry

    @property
    def kept(self) -> Held:
        """What is in memory."""
        entries = list(self._realms.values())
        return Held(len(entries), sum(entry.size for entry in entries))

    def realms(self) -> list[Realm]:
        """The realms that are in memory."""
        return [entry.realm for entry in list(self._realms.values())]

    def _read_realm(self, name: str) -> tuple[bool, RealmEntry | None]:
        """Whether what there is of the realm is still true, and what it is."""
        self.loaded.realms += 1
        with self._store.read() as reader:
            document = reader.find(REALMS, None, realm=name)
            entry = None
            if document is not None:
                realm = compile_realm(reader, document, self.features)
                entry = RealmEntry(realm, self._failures, self.revoked)
            return self._keep_realm(reader, name, entry), entry

    def load_client(self, realm_name: str, client_id: str) -> Client | None:
        """The client, from memory or the store. May block: for worker threads."""
        while True:
            entry = self.load_realm(realm_name)
            if entry is None:
                return None
            try:
                return entry.by_client_id(client_id)
            except Miss:
                pass
            self.loaded.clients += 1
            with self._store.read() as reader:
                document = reader.find(CLIENTS, entry.realm.id, client_id=client_id)
                client = (
                    None
                    if document is None
                    else compile_client(reader, entry.realm, document, rotation=ROTATION in self.features)
                )
                if self._keep_client(reader, entry, client_id, client):
                    return client

    def _keep_realm(self, reader: Reader, name: str, entry: RealmEntry | None) -> bool:
        """Keeps what `reader` showed, unless something has changed since: then it must be read again."""
        with self._lock:
            if reader.revision < self._applied:
                return False
            if entry is not None:
                self._realms[name] = entry
                self._names[entry.realm.id] = name
            else:
                self._unknown.add(name)
            return True

    def _keep_client(self, reader: Reader, entry: RealmEntry, client_id: str, client: Client | None) -> bool:
        with self._lock:
            if reader.revision < self._applied or self._realms.get(entry.realm.name) is not entry:
                return False
            entry.keep(client_id, client)
            return True

    def _follow(self, changes: Sequence[Change]) -> None:
        """Drops what the changes touch. Called by the store after each commit, before the writer's answer."""
        with self._lock:
            for change in changes:
                if change.kind == EVERYTHING:
                    self._applied = change.revision  # which may be lower, after a backup was restored
                    self._forget()
                elif change.kind == REVOKED_TOKEN:
                    self.revoked.add(change.realm_id, change.id)
                # Logins are no reason to read anything again: where there are many, it would never be read in time.
                elif change.kind not in READ_EACH_TIME:
                    self._applied = max(self._applied, change.revision)
                    self._drop(change)

    def forget(self) -> None:
        """Drops all that is in memory, with what the edge remembers of requests."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._realms.clear()
        self._names.clear()
        self._unknown.clear()
        self.revoked.clear()

    def _drop(self, change: Change) -> None:
        if change.kind == REALMS.name:
            self._unknown.clear()
            self.revoked.forget(change.realm_id)
        name = self._names.get(change.realm_id)
        entry = None if name is None else self._realms.get(name)
        if name is None or entry is None:
            return
        if change.kind in _OF_ONE_USER:
            entry.forget_user(change.id)
        elif change.kind in _OF_ONE_CLIENT and not self._renamed(entry, change):
            entry.forget(change.id)
        else:
            del self._realms[name]

    def _renamed(self, entry: RealmEntry, change: Change) -> bool:
        """Whether a client that owns roles has another name now, or none: it stands in the tokens of others."""
        known = entry.realm.client_ids.get(change.id)
        if change.kind != CLIENTS.name or known is None:
            return False
        try:
            with self._store.read() as reader:
                document = reader.get(CLIENTS, entry.realm.id, change.id)
        except StoreError:  # nobody knows: rather compile too much than answer from what is no longer true
            return True
        return document is None or document.client_id != known
