"""Whom the TLS listeners believe when clients show certificates: the authorities and certificates that are registered.

OpenSSL ends a connection whose certificate it cannot verify, so all of them must be known to it. That says nothing yet:
each client is then held to its own (``oauth2.client_authentication``).
"""

import logging
import os
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, Final

from keyturn.jose.x509 import Subject, subject_of
from keyturn.model.client_certificates import MARK, is_self_signed, key_set_url, trusted_for
from keyturn.representations import ClientRepresentation, given
from keyturn.store.collections import CLIENTS, REALMS
from keyturn.store.spi import EVERYTHING, Change, Reader, Store, StoreError

_LOGGER: Final = logging.getLogger("keyturn.tls")

MAXIMUM_TRUSTED: Final = 10_000
"""Certificates of all clients that are known to OpenSSL; further ones end their connections."""

REBUILT_AFTER: Final = 10.0
"""Seconds between two times that contexts are made anew: for as long a certificate that was removed soon after another
one may still open a connection, which it then proves nothing on."""

LONGEST_WAIT: Final = 0.05
"""Seconds for which a connection waits for what other processes have registered, and all else with it."""

_MANY: Final = 20
"""Changed clients of one commit, beyond which their realm is read as a whole."""

_FILED: Final = 100
"""Certificates, beyond which OpenSSL reads them from a file: then all else goes on while it takes seconds."""

_Client = tuple[str, str]
"""The ids of a realm and of one of its clients."""


class ClientTrust:
    """The registered certificates, and TLS contexts that know them. Subscribes to the store.

    Args:
        authorities: those (DER) that may say who any client is. No client can register another one of the same name:
            OpenSSL finds authorities by name, and would take the wrong one. Of two realms, the first one has a name.
        new_context: makes the context of a listener, which knows nobody yet.
    """

    def __init__(self, store: Store, authorities: Sequence[bytes], new_context: Callable[[], ssl.SSLContext]) -> None:
        self._store = store
        self.authorities = tuple(authorities)
        self._reserved = {subject_of(authority) for authority in authorities}
        self._new_context = new_context
        self._of_clients: dict[_Client, tuple[bytes, ...]] = {}
        self._count: dict[bytes, int] = {}
        self._owners: dict[Subject, dict[str, int]] = {}
        """By subject: the realms that have registered it, and how many of their clients have. It is the first one's;
        others may have the same certificate.
        """
        self._contexts: list[ListenerContext] = []
        self._lock = Lock()
        self._rebuilding = Lock()
        self._timer: Timer | None = None
        self._rebuilt_at = float("-inf")
        self._reader = ThreadPoolExecutor(1, "client-trust")
        self._reading: Future[None] | None = None
        self._cut_off = False
        store.subscribe(self._follow)
        with self._lock, store.read() as reader:
            self._read_all(reader)

    def listener(self, mode: ssl.VerifyMode) -> "ListenerContext":
        """A context for a listener: it always knows who is registered. `mode`: whether a certificate must be shown."""
        context = ListenerContext(ssl.PROTOCOL_TLS_SERVER)
        context.before = self.keep_up
        with self._lock:
            context.use(self._made(mode, (*self.authorities, *self._count)), mode)
            self._contexts.append(context)
        return context

    def close(self) -> None:
        """Changes nothing any more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        self._reader.shutdown()

    def _made(self, mode: ssl.VerifyMode, trusted: Iterable[bytes]) -> ssl.SSLContext:
        context = self._new_context()
        context.verify_mode = mode
        # Certificates of clients' own are trusted as they are; authorities may be issued by others.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        # Tickets outlive what they rest on. Sessions of TLS 1.2 stay in the context, and end with it.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        _add(context, tuple(trusted))
        return context

    def _follow(self, changes: Sequence[Change]) -> None:
        """Called by the store after each commit, before the writer's answer: who was registered can connect at once."""
        realms = {change.realm_id for change in changes if change.kind == REALMS.name}
        clients = {(change.realm_id, change.id) for change in changes if change.kind == CLIENTS.name}
        everything = any(change.kind == EVERYTHING for change in changes)
        if len(clients) > _MANY:
            realms |= {realm_id for realm_id, _ in clients}
        clients = {client for client in clients if client[0] not in realms}
        if not everything and not realms and not clients:
            return
        try:
            with self._lock, self._store.read() as reader:
                if everything:
                    self._read_all(reader)
                for realm_id in realms:
                    self._read_realm(reader, realm_id)
                for client in clients:
                    document = reader.get(CLIENTS, *client)
                    self._set(client, () if document is None else _trusted_for(document))
        except StoreError as error:
            _LOGGER.error("certificates of clients may not be known to the TLS listeners: %s", error)

    def keep_up(self) -> None:
        """Hears of what other processes have registered, if they have told of anything. Called by the event loop.

        A database that takes its time is waited for once, and not for long: who has registered elsewhere a moment ago
        may then have to connect again.
        """
        if self._store.behind() and (self._reading is None or self._reading.done()):
            self._reading = self._reader.submit(self._catch_up)
            with suppress(TimeoutError):
                self._reading.result(LONGEST_WAIT)

    def _catch_up(self) -> None:
        try:
            self._store.catch_up()
        except StoreError as error:
            if not self._cut_off:
                _LOGGER.error("certificates of clients may not be known to the TLS listeners: %s", error)
            self._cut_off = True
        else:
            self._cut_off = False

    def _read_all(self, reader: Reader) -> None:
        # The oldest first, in whatever process: of two realms with one name, it has always the same one.
        realms = [given(realm.id, "") for realm in reader.select(REALMS, None)]
        for realm_id in dict.fromkeys((*realms, *(realm_id for realm_id, _ in self._of_clients))):
            self._read_realm(reader, realm_id)

    def _read_realm(self, reader: Reader, realm_id: str) -> None:
        found = {
            (realm_id, given(document.id, "")): _trusted_for(document)
            for document in reader.select(CLIENTS, realm_id, like={"document": f"%{MARK}%"})
        }
        gone = [client for client in self._of_clients if client[0] == realm_id and client not in found]
        for client in gone:
            self._set(client, ())
        for client, certificates in found.items():
            self._set(client, certificates)

    def _set(self, client: _Client, certificates: tuple[bytes, ...]) -> None:
        before = self._of_clients.get(client, ())
        if certificates == before:
            return
        removed = False
        for certificate in before:
            removed |= self._remove(certificate, client[0])
        taken = tuple(certificate for certificate in dict.fromkeys(certificates) if self._take(certificate, client))
        if taken:
            self._of_clients[client] = taken
            for context in self._contexts:
                _add(context.current, taken)
        else:
            self._of_clients.pop(client, None)
        if removed and self._timer is None:
            self._timer = Timer(max(0.0, self._rebuilt_at + REBUILT_AFTER - time.monotonic()), self.rebuild)
            self._timer.daemon = True
            self._timer.start()

    def _take(self, certificate: bytes, client: _Client) -> bool:
        subject = _readable(certificate)
        if subject is None:
            _LOGGER.warning("a certificate of client %s is none that OpenSSL can read: it is not taken", client[1])
            return False
        owners = self._owners.get(subject, {})
        if certificate not in self._count:
            if subject in self._reserved or next(iter(owners), client[0]) != client[0]:
                _LOGGER.warning("a certificate of client %s has the name of another's: it is not taken", client[1])
                return False
            if len(self._count) >= MAXIMUM_TRUSTED:
                _LOGGER.error("%d certificates of clients are known, as many as may be", MAXIMUM_TRUSTED)
                return False
        self._count[certificate] = self._count.get(certificate, 0) + 1
        self._owners[subject] = owners
        owners[client[0]] = owners.get(client[0], 0) + 1
        return True

    def _remove(self, certificate: bytes, realm_id: str) -> bool:
        """Whether it was the last of its kind."""
        subject = subject_of(certificate)
        owners = self._owners[subject]
        owners[realm_id] -= 1
        if not owners[realm_id]:
            del owners[realm_id]
        if not owners:
            del self._owners[subject]
        self._count[certificate] -= 1
        if self._count[certificate]:
            return False
        del self._count[certificate]
        return True

    def renew(self, new_context: Callable[[], ssl.SSLContext], authorities: Sequence[bytes]) -> None:
        """Makes contexts this way from now on, and the current ones anew; `authorities` count for new connections."""
        with self._lock:
            self._new_context = new_context
            self.authorities = tuple(authorities)
            self._reserved = {subject_of(authority) for authority in authorities}
        self.rebuild()

    def rebuild(self) -> None:
        """Makes new contexts: an old one cannot forget. Connections that are open stay with theirs."""
        with self._rebuilding:
            with self._lock:
                self._timer = None
                contexts, trusted = tuple(self._contexts), (*self.authorities, *self._count)
            try:
                # Nobody waits for it: with thousands of certificates it takes seconds.
                made = [self._made(context.mode, trusted) for context in contexts]
            except Exception:  # the old ones go on: they know too many, which by itself proves nothing
                _LOGGER.exception("the TLS listeners cannot be told of certificates that were removed")
                return
            with self._lock:
                added = self._count.keys() - set(trusted)
                for context, current in zip(contexts, made, strict=True):
                    _add(current, added)
                    context.use(current, context.mode)
                self._rebuilt_at = time.monotonic()


class ListenerContext(ssl.SSLContext):
    """Stands for the context that is current when a connection begins. Made by ``ClientTrust.listener``."""

    before: Callable[[], None]
    """What comes before a connection."""
    current: ssl.SSLContext
    mode: ssl.VerifyMode

    def use(self, current: ssl.SSLContext, mode: ssl.VerifyMode) -> None:
        """Takes `current` for the connections to come."""
        self.current, self.mode = current, mode

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """A connection (asyncio and uvloop call this)."""
        self.before()
        return self.current.wrap_bio(*args, **options)


def _trusted_for(document: ClientRepresentation) -> tuple[bytes, ...]:
    attributes = given(document.attributes, {})
    if is_self_signed(attributes) and key_set_url(attributes) is not None:
        _LOGGER.warning(
            "the certificates of client %s are at a URL: it cannot connect here, where they must be known ahead; "
            "register them in jwks.string, or have a proxy end its connections",
            given(document.client_id, ""),
        )
    return trusted_for(document)


def _readable(certificate: bytes) -> Subject | None:
    """The subject of a certificate that OpenSSL takes. One that it does not would keep all others from a listener."""
    try:
        _add(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), (certificate,))
        return subject_of(certificate)
    except (ssl.SSLError, ValueError):
        return None


def _add(context: ssl.SSLContext, certificates: Iterable[bytes]) -> None:
    der = tuple(certificates)
    if len(der) > _FILED and hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("certificates"), "w") as file:
            file.write("".join(map(ssl.DER_cert_to_PEM_cert, der)))
            file.flush()
            context.load_verify_locations(cafile=f"/proc/self/fd/{file.fileno()}")
    elif der:
        context.load_verify_locations(cadata=b"".join(der))
