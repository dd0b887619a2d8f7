"""Administrators who write without a pause, until their server is gone."""

import json
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

from harness.process import ServerProcess
from keyturn.representations import given
from keyturn.store.spi import Relation
from resilience.ledger import Ledger, Stored

REALM = "plant"
SHARED = "shared"


class Gone(Exception):
    """The server does not answer any more."""


class Administrator:
    """One connection to the admin API."""

    def __init__(self, server: ServerProcess, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.http_port, timeout=20)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def call(self, method: str, path: str, document: Any = None) -> tuple[int, dict[str, str], Any]:
        """The answer: status, headers, document. Raises Gone."""
        try:
            body = None if document is None else json.dumps(document)
            self._connection.request(method, f"/admin/realms{path}", body, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            raise Gone from None
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, json.loads(content) if content else None

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()

    def create(self, path: str, document: Any) -> str:
        """The id of what is made."""
        status, headers, content = self.call("POST", path, document)
        assert status == 201, (path, status, content)
        return headers["location"].rpartition("/")[2]

    def change(self, method: str, path: str, document: Any) -> None:
        """A change that gives nothing back."""
        status, _, content = self.call(method, path, document)
        assert status == 204, (path, status, content)


Writer = Callable[[Administrator, Ledger, str], None]
"""Writes once; the text is unlike that of any other call."""

_MAPPER = {
    "protocol": "openid-connect",
    "protocolMapper": "oidc-hardcoded-claim-mapper",
    "config": {"claim.name": "x", "claim.value": "y", "access.token.claim": "true"},
}


def prepare(administrator: Administrator) -> dict[str, str]:
    """The realm in which they write; the ids of what they share."""
    administrator.create("", {"realm": REALM, "enabled": True})
    for name in ("one", "two"):
        administrator.create(f"/{REALM}/roles", {"name": name})
    client = administrator.create(f"/{REALM}/clients", {"clientId": SHARED, "serviceAccountsEnabled": True})
    user = administrator.create(f"/{REALM}/users", {"username": SHARED, "enabled": True})
    return {"client": client, "user": user}


def write_client(administrator: Administrator, ledger: Ledger, unique: str) -> None:
    """A client with mappers, attributes and a service account."""
    mappers = [{"name": name, **_MAPPER} for name in ("a", "b")]
    attributes = {"access.token.lifespan": "60", "made.by": unique}
    document = {
        "clientId": unique,
        "serviceAccountsEnabled": True,
        "attributes": attributes,
        "protocolMappers": mappers,
    }
    administrator.create(f"/{REALM}/clients", {**document, "protocolMappers": mappers})
    ledger.promised(f"client {unique}", lambda stored: is_whole_client(stored, unique))


def is_whole_client(stored: Stored, client_id: str) -> bool:
    """Whether a client has all that `write_client` gives it, and its account the default role."""
    client = stored.clients.get(client_id)
    user = stored.users.get(f"service-account-{client_id}")
    if client is None or user is None:
        return False
    return (
        user.service_account_client_id == client.id
        and given(client.attributes, {}).get("made.by") == client_id
        and [mapper.name for mapper in given(client.protocol_mappers, [])] == ["a", "b"]
        and {"service_account", "profile", "roles"} <= stored.scopes_of(client_id)
        and stored.roles_of(str(user.id)) == {f"default-roles-{REALM}"}
    )


def write_role(administrator: Administrator, ledger: Ledger, unique: str) -> None:
    """A composite role."""
    composites = {"realm": ["one", "two"]}
    administrator.create(f"/{REALM}/roles", {"name": unique, "composite": True, "composites": composites})
    ledger.promised(f"role {unique}", lambda stored: is_whole_role(stored, unique))


def is_whole_role(stored: Stored, name: str) -> bool:
    """Whether a role has all that `write_role` puts into it."""
    role = stored.role(name)
    if role is None:
        return False
    contained = {target for source, target in stored.pairs[Relation.COMPOSITE] if source == role.id}
    return contained == {stored.role(inner).id for inner in ("one", "two")}


def write_realm(administrator: Administrator, ledger: Ledger, unique: str) -> None:
    """A realm with all that belongs to one."""
    administrator.create("", {"realm": unique, "enabled": True})
    ledger.realms.add(unique)
    ledger.promised(f"realm {unique}", lambda stored: True)


def mapping_writer(user: str) -> Writer:
    """Gives the shared user a new role."""

    def write(administrator: Administrator, ledger: Ledger, unique: str) -> None:
        administrator.create(f"/{REALM}/roles", {"name": unique})
        _, _, role = administrator.call("GET", f"/{REALM}/roles/{unique}")
        administrator.change("POST", f"/{REALM}/users/{user}/role-mappings/realm", [role])
        ledger.promised(f"mapping {unique}", lambda stored: unique in stored.roles_of(user))

    return write


def merging_writer(client: str, mine: str) -> Writer:
    """Raises a number in the attributes of the client that all share: each has its own, and leaves the others alone."""

    def write(administrator: Administrator, ledger: Ledger, unique: str) -> None:
        number = ledger.next(mine, lambda stored: given(stored.clients[SHARED].attributes, {}).get(mine, "0"))
        administrator.change("PUT", f"/{REALM}/clients/{client}", {"attributes": {mine: str(number)}})
        ledger.counted(mine, number)

    return write


class Crew:
    """Writers at work, each in a thread and on a connection of its own."""

    def __init__(
        self, server: ServerProcess, token: str, ledger: Ledger, writers: dict[str, Writer], shift: int
    ) -> None:
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(Administrator(server, token), ledger, writer, f"{name}-{shift}"))
            for name, writer in writers.items()
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, administrator: Administrator, ledger: Ledger, writer: Writer, name: str) -> None:
        number = 0
        try:
            while True:
                number += 1
                writer(administrator, ledger, f"{name}-{number}")
        except Gone:
            return
        except BaseException as error:
            self._failures.append(error)
        finally:
            administrator.close()

    def join(self) -> None:
        """Waits until all have noticed that the server is gone. Raises what went wrong before."""
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()
        if self._failures:
            raise self._failures[0]
