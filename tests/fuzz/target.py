"""The server that is hurt: a database, copied for each example, and what every answer is held to."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from admin_server import NOW, Server
from fuzz.calls import Call, encoded, path_of
from fuzz.documents import Reference
from harness.invariants import violations
from keyturn.admin.client_changes import Fresh
from keyturn.admin.http_message import AdminRequest, AdminResponse
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.registry.registry import Registry
from keyturn.representations import RealmRepresentation, UserRepresentation, decode, given
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, REALMS, ROLES
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store
from keyturn.store.sql_reader import SqlReader
from keyturn.store.sql_text import Where, quoted

SLOWEST: Final = 20.0
"""Seconds that one answer may take on a busy machine: keys of 4096 bits are made in that time."""
_MEMORY: Final = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a database is not written to a disk each time."""


class Unsound(AssertionError):
    """What a server must not do."""


class Loud(logging.Handler):
    """Keeps what the server has logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


class Prepared:
    """A directory with a database to be copied: master, and ``demo`` with some of everything."""

    def __init__(self) -> None:
        self.directory: Final = Path(tempfile.mkdtemp(prefix="keyturn-fuzz-", dir=_MEMORY))
        store = _opened(self.directory / "made")
        fresh = Fresh(random_id, random_secret, NOW)
        administrator = UserRepresentation(username="admin", enabled=True, realm_roles=["admin"])
        for realm in (
            RealmRepresentation(realm="master", enabled=True, users=[administrator]),
            RealmRepresentation(realm="demo", enabled=True, admin_events_enabled=True),
        ):
            made = prepare_realm(realm, fresh=fresh, random=os.urandom)
            with store.write() as tx:
                store_realm(tx, made, fresh=fresh)
        _fill(Server(store, Registry(store)))
        store.close()

    @contextmanager
    def copy(self) -> Iterator["Target"]:
        """A server on a copy, for one example."""
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        shutil.copytree(self.directory / "made", directory, dirs_exist_ok=True)
        store = _opened(directory)
        try:
            yield Target(store)
        finally:
            store.close()
            shutil.rmtree(directory)

    def remove(self) -> None:
        """Leaves nothing behind."""
        shutil.rmtree(self.directory)


def _opened(directory: Path) -> Store:
    directory.mkdir(exist_ok=True)
    return open_store(directory / "keyturn.db", SealKeys(directory), lambda: NOW)


def _fill(server: Server) -> None:
    def post(path: str, document: Any) -> str:
        answer = server.call("POST", f"/demo{path}", document)
        assert answer.status == 201, answer
        return answer.id

    mapper = {"name": "m", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": {}}
    for name in ("first", "second"):
        client = {"clientId": name, "secret": "s", "serviceAccountsEnabled": True, "directAccessGrantsEnabled": True}
        client_id = post("/clients", {**client, "protocolMappers": [mapper]})
        server.call("POST", f"/demo/clients/{client_id}/roles", {"name": f"of {name}"})
    parent = post("/groups", {"name": "one"})
    server.call("POST", f"/demo/groups/{parent}/children", {"name": "two"})
    scope = post("/client-scopes", {"name": "scope", "protocol": "openid-connect", "protocolMappers": [mapper]})
    role = {"name": "composite", "composite": True, "composites": {"realm": ["offline_access"]}}
    server.call("POST", "/demo/roles", role)
    named = server.call("GET", "/demo/roles/composite").body
    server.call("POST", f"/demo/client-scopes/{scope}/scope-mappings/realm", [named])
    user = post("/users", {"username": "ada", "enabled": True, "attributes": {"a": ["b"]}, "groups": ["/one"]})
    server.call("POST", f"/demo/users/{user}/role-mappings/realm", [named])


class Target:
    """A server in this process, and what its answers are held to."""

    def __init__(self, store: Store) -> None:
        self.store: Final = store
        self.server: Final = Server(store, Registry(store))

    @cached_property
    def _token(self) -> str:
        return self.server.token(exp=int(NOW) + 3600)

    def send(self, call: Call, log: Loud) -> AdminResponse:
        """The answer to `call`. Raises Unsound where it is none that a server may give."""
        request = AdminRequest(
            method=call.method,
            path=path_of(self.path(call.path)),
            query=self._query(call),
            headers={"authorization": f"Bearer {self._token}", "content-type": call.content_type},
            body=encoded(self.resolved(call.body), call.broken),
            base_url="http://localhost:8080",
            address="127.0.0.1",
        )
        begun = time.monotonic()
        response = self.server.api.handle(request)
        taken = time.monotonic() - begun
        wrong = list(faults(response))
        if taken > SLOWEST:
            wrong.append(f"it took {taken:.1f} s")
        if response.status >= 400 and not response.body:
            wrong.append("an error without a body")
        wrong += log.records
        if wrong:
            log.records.clear()
            shown = request.body if len(request.body) < 2000 else request.body[:2000] + b"..."
            raise Unsound(
                f"{request.method} {request.path} {request.query}\n{shown!r}\n{response}\n" + "\n".join(wrong)
            )
        return response

    def check(self) -> None:
        """That the store is sound. Raises Unsound."""
        wrong = violations(self.store, accounts_may_be_missing=True)
        if wrong:
            raise Unsound("\n".join(wrong))

    def resolved(self, value: Any) -> Any:
        if isinstance(value, Reference):
            return self._found(value, None)
        if isinstance(value, dict):
            return {name: self.resolved(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(each) for each in value]
        return value

    def _query(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The parameters as they arrive."""
        pairs = [(name, str(self.resolved(value))) for name, value in call.query]
        return tuple(parse_qsl(urlencode(pairs, errors="surrogatepass"), keep_blank_values=True))

    def path(self, segments: tuple[str | Reference, ...]) -> list[str]:
        """The path; what is named in it behind a client, say, is mostly something of that client."""
        path: list[str] = []
        owner: str | None = None
        for segment in segments:
            if isinstance(segment, Reference):
                path.append(str(self._found(segment, owner)))
                owner = path[-1]
            else:
                path.append(segment)
        return path

    def _found(self, wanted: Reference, owner: str | None) -> Any:
        with self.store.read() as reader:
            assert isinstance(reader, SqlReader)
            realm = reader.find(REALMS, None, realm="demo" if wanted.index else "master")
            realm_id = "" if realm is None else str(realm.id)
            found = self._mappers(reader, realm_id, owner) if wanted.kind == "mapper" else []
            if wanted.kind != "mapper":
                key = "id" if wanted.key == "document" else wanted.key
                where = Where().equal("realm_id", realm_id)
                if wanted.kind == "role" and wanted.key == "name":
                    where.equal("container_id", owner or realm_id)
                newest = f'SELECT {quoted(key)} FROM {quoted(wanted.kind)}{where} ORDER BY "sequence" DESC LIMIT 50'
                found = [str(row[0]) for row in reader._rows(newest, where.values)]
            if not found:
                return "none"
            chosen = found[wanted.index % len(found)]
            if wanted.key == "document":
                role = reader.get(ROLES, realm_id, chosen)
                return {"id": chosen, "name": "" if role is None else role.name}
            return chosen

    def _mappers(self, reader: SqlReader, realm_id: str, owner: str | None) -> list[str]:
        document = reader.get(CLIENTS, realm_id, str(owner)) or reader.get(CLIENT_SCOPES, realm_id, str(owner))
        return [] if document is None else [str(each.id) for each in given(document.protocol_mappers, [])]


def faults(response: AdminResponse) -> Iterator[str]:
    """What is wrong with an answer, whatever was asked."""
    headers = dict(response.headers)
    if response.status >= 500 and response.status != 501:
        yield f"status {response.status}"
    for name, value in response.headers:
        if set(value) & {"\r", "\n", "\0"} or (name == "location" and not value.isascii()):
            yield f"header {name}: {value!r}"
    is_json = headers.get("content-type", "").startswith("application/json")
    if response.status >= 400 and response.body and not is_json:
        yield "an error that is no JSON"
    if is_json and response.body:
        document = decode(response.body, Any)
        if response.status >= 400 and not (
            isinstance(document, dict) and {"error", "errorMessage", "errors"} & document.keys()
        ):
            yield "an error that says nothing"
